//! Who may do what: the seam, and the decision that configuration makes by default.

use std::collections::{BTreeMap, BTreeSet};

use yoi_protocol::{Operation, RuntimeId, WorkerId};

/// What is asked of a [`Policy`].
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks: the name of a token, or `local` where there are none.
    pub principal: &'a str,
    /// What for; `None` to see the Runtime itself.
    pub operation: Option<Operation>,
    /// On which Runtime.
    pub runtime_id: &'a RuntimeId,
    /// On which Worker, where the operation names one: in a list each that it holds, in a create
    /// the one that is asked for.
    pub worker_id: Option<&'a WorkerId>,
}

/// What a [`Policy`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allow,
    /// It exists, but not for this: `operation_denied`.
    Deny,
    /// It does not exist for whoever asks: answered exactly as what is not there, left out of
    /// lists, and not to be created.
    Hide,
}

/// Decides every request before anything is done for it, and every connect of a watcher.
pub trait Policy: Send + Sync {
    /// The decision. Must not block and must not depend on anything a Runtime says.
    fn decide(&self, question: &Question<'_>) -> Decision;
}

/// The default: what each Runtime's `visible` and `allow` say, the same for every principal.
#[derive(Debug, Clone, Default)]
pub struct RuntimeRules {
    rules: BTreeMap<RuntimeId, Rule>,
}

/// What configuration says of one Runtime.
#[derive(Debug, Clone)]
struct Rule {
    visible: bool,
    allow: Option<BTreeSet<Operation>>,
}

impl RuntimeRules {
    /// Adds a Runtime. `allow: None` allows every operation.
    pub fn set(&mut self, runtime_id: RuntimeId, visible: bool, allow: Option<&[Operation]>) {
        let allow = allow.map(|operations| operations.iter().copied().collect());
        self.rules.insert(runtime_id, Rule { visible, allow });
    }
}

impl Policy for RuntimeRules {
    fn decide(&self, question: &Question<'_>) -> Decision {
        let Some(rule) = self.rules.get(question.runtime_id) else {
            return Decision::Hide;
        };
        if !rule.visible {
            return Decision::Hide;
        }
        match (question.operation, &rule.allow) {
            (Some(operation), Some(allow)) if !allow.contains(&operation) => Decision::Deny,
            (Some(_) | None, _) => Decision::Allow,
        }
    }
}
