//! The Backend as a library: every operation of its API, without HTTP.

mod builder;
mod commands;
mod end;
mod probe;
mod reads;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use yoi_protocol::{
    Code, Failure, IdempotencyKey, Operation, Origin, RequestId, RuntimeId, WorkerId,
};

use crate::audit::AuditSink;
use crate::handle::CallContext;
use crate::observation::Hub;
use crate::policy::{Decision, Policy, Question};
use crate::presence::PresenceSettings;
use crate::registry::{Entry, Registry};
use crate::seal::KeyRing;

pub use builder::{BackendBuilder, BuildError};

/// A Backend. Cheap to clone; all clones are the same Backend.
///
/// Each method decides by policy, finds the Runtime, and asks it: once, without a look-up before.
/// What is not visible answers exactly as what is not there.
#[derive(Clone)]
pub struct Backend {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    policy: Arc<dyn Policy>,
    audit: Arc<dyn AuditSink>,
    keys: KeyRing,
    presence: PresenceSettings,
    hub: Hub,
    /// The Runtimes inside, to be drained.
    embedded: Vec<worker_runtime::Runtime>,
    /// Commands under way.
    commands: TaskTracker,
    probes: TaskTracker,
    draining: AtomicBool,
    closed: CancellationToken,
}

/// Who asks, and what goes along with what is asked.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// By which name.
    pub principal: String,
    /// In which request.
    pub request_id: Option<RequestId>,
    /// As part of which trace.
    pub traceparent: Option<String>,
    /// Until when.
    pub deadline: Option<Instant>,
    /// Names the command, so that sending it again applies it once.
    pub key: Option<IdempotencyKey>,
}

impl Backend {
    /// Begins a Backend without Runtimes.
    pub fn builder() -> BackendBuilder {
        BackendBuilder::default()
    }

    /// Whether it takes commands.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.inner.draining.load(Ordering::Acquire)
    }

    fn decide(&self, question: &Question<'_>) -> Decision {
        self.inner.policy.decide(question)
    }

    /// The Runtime that an operation is for, when the caller may ask it for that.
    fn admit(
        &self,
        caller: &Caller,
        operation: Operation,
        runtime_id: &RuntimeId,
        worker_id: Option<&WorkerId>,
    ) -> Result<&Arc<Entry>, Failure> {
        let decision = self.decide(&Question {
            principal: &caller.principal,
            operation: Some(operation),
            runtime_id,
            worker_id,
        });
        let entry = self.inner.registry.get(runtime_id);
        match (decision, entry) {
            // There is nothing yet to be hidden: a name that may not be seen may not be taken,
            // whether or not somebody has it.
            (Decision::Hide, Some(entry))
                if operation == Operation::CreateWorker
                    && worker_id.is_some()
                    && self.sees(caller, entry) =>
            {
                Err(Failure::denied(operation))
            }
            // The very words of a Runtime that has no such Worker.
            (Decision::Hide, Some(entry)) if worker_id.is_some() && self.sees(caller, entry) => {
                Err(Failure::new(Code::WorkerNotFound).by(Origin::Runtime))
            }
            (Decision::Hide, _) | (_, None) => Err(Failure::new(Code::RuntimeNotFound)),
            (Decision::Deny, Some(_)) => Err(Failure::denied(operation)),
            (Decision::Allow, Some(entry)) => Ok(entry),
        }
    }

    fn sees(&self, caller: &Caller, entry: &Entry) -> bool {
        let decision = self.decide(&Question {
            principal: &caller.principal,
            operation: None,
            runtime_id: &entry.runtime_id,
            worker_id: None,
        });
        match decision {
            Decision::Allow | Decision::Deny => true,
            Decision::Hide => false,
        }
    }

    /// The Runtimes that the caller may see, by rising id.
    fn visible<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = &'a Arc<Entry>> {
        let all = self.inner.registry.iter();
        all.filter(|entry| self.sees(caller, entry))
    }
}

/// What goes along with a call to `entry`: the caller's deadline, or the Runtime's own if that
/// is nearer.
fn context(caller: &Caller, entry: &Entry) -> CallContext {
    let own = Instant::now() + entry.timeouts.request;
    CallContext {
        deadline: Some(caller.deadline.map_or(own, |deadline| deadline.min(own))),
        request_id: caller.request_id.clone(),
        traceparent: caller.traceparent.clone(),
        key: None,
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runtimes: Vec<_> = self.inner.registry.iter().map(|e| &e.runtime_id).collect();
        f.debug_struct("Backend")
            .field("runtimes", &runtimes)
            .finish_non_exhaustive()
    }
}
