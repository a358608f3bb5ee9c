//! What the checks came to.

use serde::Serialize;
use yoi_protocol::{RuntimeId, RuntimeInfo, WorkerId};

/// What all checks of a Runtime came to. Serialises as the document that
/// `yoi check-runtime --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Who was checked; absent when it does not say that in the contract's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<RuntimeSeen>,
    /// How many checks passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many could not be made.
    pub skipped: usize,
    /// Each check, in the order in which they ran.
    pub checks: Vec<Checked>,
    /// Whether the rest was not made, because the time was over or nobody answered any more: then
    /// that nothing failed says little.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut_short: bool,
    /// Workers of the checks that could not be stopped: they run, or may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<WorkerId>,
}

/// Who was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuntimeSeen {
    /// Its id.
    pub runtime_id: RuntimeId,
    /// The version of the contract that it speaks.
    pub api_version: String,
    /// The version of its software.
    pub version: String,
    /// The kind of its store.
    pub store: String,
    /// What it lists that it can do. What is not listed is not asked for.
    pub capabilities: Vec<String>,
}

/// One check and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Its name, `group.check`: stable, for programs.
    pub name: String,
    /// What the contract promises.
    pub promise: String,
    /// What it came to.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// What one check came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The promise was seen to hold.
    Passed,
    /// It does not hold.
    Failed {
        /// What was seen instead.
        detail: String,
    },
    /// It could not be looked at.
    Skipped {
        /// Why, and what would make it possible.
        reason: String,
    },
}

impl Report {
    /// The report of these checks.
    #[must_use]
    pub fn new(runtime: Option<&RuntimeInfo>, checks: Vec<Checked>) -> Self {
        let count = |is: fn(&Outcome) -> bool| checks.iter().filter(|one| is(&one.outcome)).count();
        Self {
            runtime: runtime.map(|info| RuntimeSeen {
                runtime_id: info.runtime_id.clone(),
                api_version: info.api_version.clone(),
                version: info.version.clone(),
                store: info.store.clone(),
                capabilities: info
                    .capabilities
                    .iter()
                    .map(|one| one.as_str().to_owned())
                    .collect(),
            }),
            passed: count(|outcome| matches!(outcome, Outcome::Passed)),
            failed: count(|outcome| matches!(outcome, Outcome::Failed { .. })),
            skipped: count(|outcome| matches!(outcome, Outcome::Skipped { .. })),
            checks,
            cut_short: false,
            left_behind: Vec::new(),
        }
    }

    /// The same, of checks that were perhaps not all made.
    #[must_use]
    pub fn cut_short(mut self, is_cut_short: bool) -> Self {
        self.cut_short = is_cut_short;
        self
    }

    /// The same, with the Workers that could not be stopped.
    #[must_use]
    pub fn leaving(mut self, left_behind: Vec<WorkerId>) -> Self {
        self.left_behind = left_behind;
        self
    }

    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Checked> {
        let is_failed = |one: &&Checked| matches!(one.outcome, Outcome::Failed { .. });
        self.checks.iter().filter(is_failed)
    }

    /// The checks that could not be made.
    pub fn skipped(&self) -> impl Iterator<Item = &Checked> {
        let is_skipped = |one: &&Checked| matches!(one.outcome, Outcome::Skipped { .. });
        self.checks.iter().filter(is_skipped)
    }

    /// What this check came to, if it was made.
    #[must_use]
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        let found = self.checks.iter().find(|one| one.name == name);
        found.map(|one| &one.outcome)
    }
}
