//! What a Runtime refuses and how it fails, named by what the caller can do next.

use yoi_protocol::{Code, Effect, Failure, FieldError, Operation, RunId};

use crate::store::StoreError;

/// Why an operation was refused or failed.
///
/// Knows nothing of HTTP; [`RuntimeError::failure`] is the one way to the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// The request does not validate: correct the named fields.
    #[error("the request does not validate")]
    InvalidRequest {
        /// Each field at fault.
        errors: Vec<FieldError>,
    },
    /// Not a cursor that a Runtime could have made: start without one.
    #[error("not a cursor")]
    CursorInvalid,
    /// The events after the cursor are no longer retained: start without one.
    #[error("the events after the cursor are no longer retained")]
    CursorExpired,
    /// A cursor of another Worker or of another life of its log: start without one.
    #[error("a cursor of another worker or another life")]
    CursorUnknown,
    /// There is no such Worker.
    #[error("no such worker")]
    WorkerNotFound,
    /// The id is taken: choose another.
    #[error("the worker exists already")]
    WorkerAlreadyExists,
    /// A run is active: wait for its end, or cancel it.
    #[error("the worker is busy")]
    WorkerBusy {
        /// The run that is active.
        active_run_id: RunId,
    },
    /// The Worker is stopped for good: create another.
    #[error("the worker is stopped")]
    WorkerStopped,
    /// The input is too large: send less.
    #[error("the input is larger than {limit_bytes} bytes")]
    PayloadTooLarge {
        /// The limit that was passed.
        limit_bytes: u64,
    },
    /// The key was used with another body: use another key.
    #[error("the idempotency key was used with another body")]
    IdempotencyConflict,
    /// A limit is reached: come back when something has ended.
    #[error("the limit {limit} is reached")]
    LimitReached {
        /// Its name, as in `Limits`.
        limit: &'static str,
    },
    /// The store refused the write.
    #[error("the store failed")]
    StoreFailed {
        /// Whether the write may have counted nevertheless.
        effect: Effect,
    },
    /// This Runtime cannot do what was asked.
    #[error("{operation} is not supported in this form")]
    OperationUnsupported {
        /// The operation that it lacks, or lacks in the form that was asked for.
        operation: Operation,
        /// The fields that ask for what it lacks.
        errors: Vec<FieldError>,
    },
    /// The Runtime shuts down.
    #[error("the runtime takes no commands now")]
    Unavailable,
    /// Not finished in time. With effect `unknown` the command had begun, and is carried to its
    /// end.
    #[error("not finished in time")]
    TimedOut {
        /// Whether it had begun.
        effect: Effect,
    },
    /// A fault of the Runtime; the log says more.
    #[error("internal error")]
    Internal,
}

impl RuntimeError {
    /// The typed failure that both servers answer with; its origin is left to whoever answers.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::InvalidRequest { errors } => with_errors(Code::InvalidRequest, errors),
            Self::CursorInvalid => Failure::new(Code::CursorInvalid),
            Self::CursorExpired => Failure::new(Code::CursorExpired),
            Self::CursorUnknown => Failure::new(Code::CursorUnknown),
            Self::WorkerNotFound => Failure::new(Code::WorkerNotFound),
            Self::WorkerAlreadyExists => Failure::new(Code::WorkerAlreadyExists),
            Self::WorkerBusy { active_run_id } => {
                let mut failure = Failure::new(Code::WorkerBusy);
                failure.details.active_run_id = Some(active_run_id.clone());
                failure
            }
            Self::WorkerStopped => Failure::new(Code::WorkerStopped),
            Self::PayloadTooLarge { limit_bytes } => Failure::too_large(*limit_bytes),
            Self::IdempotencyConflict => Failure::new(Code::IdempotencyConflict),
            Self::LimitReached { limit } => Failure::limit(*limit),
            Self::StoreFailed { effect } => Failure::new(Code::StoreFailed).with_effect(*effect),
            Self::OperationUnsupported { operation, errors } => {
                let mut failure = with_errors(Code::OperationUnsupported, errors);
                failure.details.operation = Some(operation.as_str().to_owned());
                failure
            }
            Self::Unavailable => Failure::new(Code::Unavailable),
            Self::TimedOut { effect } => Failure::new(Code::TimedOut).with_effect(*effect),
            Self::Internal => Failure::new(Code::Internal).with_effect(Effect::Unknown),
        }
    }

    pub(crate) fn invalid(pointer: &str, message: &str) -> Self {
        Self::InvalidRequest {
            errors: vec![FieldError {
                pointer: pointer.to_owned(),
                message: message.to_owned(),
            }],
        }
    }
}

fn with_errors(code: Code, errors: &[FieldError]) -> Failure {
    let mut failure = Failure::new(code);
    failure.details.errors = errors.to_vec();
    failure
}

impl From<StoreError> for RuntimeError {
    fn from(error: StoreError) -> Self {
        Self::StoreFailed {
            effect: error.effect(),
        }
    }
}

/// Why a Runtime does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// A limit has a value that cannot be kept.
    #[error("limits.{name} {rule}")]
    Limit {
        /// Which.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// The display name may not be shown.
    #[error("display_name must be 1 to 128 characters, none of them a control character")]
    DisplayName,
    /// The default profile is none of the profiles.
    #[error("default_profile {name:?} is not among the profiles")]
    DefaultProfile {
        /// Its name.
        name: String,
    },
    /// The store cannot be read, or refused to record that runs were interrupted.
    #[error("the store failed at start: {0}")]
    Store(#[from] StoreError),
    /// What the store holds does not add up to a Worker.
    #[error("the log of worker {worker_id} is damaged: {rule}")]
    Damaged {
        /// Whose log.
        worker_id: String,
        /// What does not hold.
        rule: &'static str,
    },
}
