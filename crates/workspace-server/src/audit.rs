//! A record of every command: who, what, on what, and how it ended. Never what was said.

use std::time::Duration;

use async_trait::async_trait;
use yoi_protocol::{Code, Effect, Operation, RequestId, RuntimeId, WorkerId};

/// A command that is about to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Who asks.
    pub principal: String,
    /// What for.
    pub operation: Operation,
    /// On which Runtime.
    pub runtime_id: RuntimeId,
    /// On which Worker; a create may not name one.
    pub worker_id: Option<WorkerId>,
    /// The request, as in the answer and the logs.
    pub request_id: Option<RequestId>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// What was attempted.
    pub attempt: Attempt,
    /// The error code; `None` when it was applied.
    pub code: Option<Code>,
    /// What a failed command did.
    pub effect: Option<Effect>,
    /// The Worker that a create made.
    pub created: Option<WorkerId>,
    /// How long it took.
    pub duration: Duration,
}

/// The audit cannot take a record now, so nothing may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit cannot be written")]
pub struct AuditRefused;

/// Where records of commands go.
///
/// Each command is admitted before anything is done for it and recorded once after, also when
/// the caller has hung up by then and also when it was denied. One that was denied is denied even
/// while the audit takes no records.
#[async_trait]
pub trait AuditSink: Send + Sync {
    /// Called before the act. After an error the command is answered `unavailable`, effect
    /// `none`, and nothing is done.
    async fn admit(&self, attempt: &Attempt) -> Result<(), AuditRefused>;

    /// Called once after the act.
    async fn record(&self, record: AuditRecord);
}

/// The default sink: one line of the log a command, under the target `yoi::audit`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogAudit;

#[async_trait]
impl AuditSink for LogAudit {
    async fn admit(&self, _attempt: &Attempt) -> Result<(), AuditRefused> {
        Ok(())
    }

    async fn record(&self, record: AuditRecord) {
        let AuditRecord {
            attempt,
            code,
            effect,
            created,
            duration,
        } = record;
        let worker = attempt.worker_id.as_ref().or(created.as_ref());
        tracing::info!(
            target: "yoi::audit",
            principal = %attempt.principal,
            operation = %attempt.operation,
            runtime_id = %attempt.runtime_id,
            worker_id = worker.map(WorkerId::as_str),
            request_id = attempt.request_id.as_ref().map(RequestId::as_str),
            code = code.map_or("ok", Code::as_str),
            effect = effect.map(|effect| match effect {
                Effect::None => "none",
                Effect::Unknown => "unknown",
            }),
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            "command"
        );
    }
}
