//! A failure with its typed fields, before a server gives it words and a request id.

use serde::{Deserialize, Serialize};

use crate::id::RunId;
use crate::{Code, Operation, Problem, RequestId, RuntimeId, WorkerId};

/// Who failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The Backend itself.
    Backend,
    /// The network between Backend and Runtime.
    Link,
    /// The Runtime.
    Runtime,
}

/// What a failed command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It certainly changed nothing: safe to send again.
    None,
    /// It may have taken effect: send it again only with the same idempotency key.
    Unknown,
}

impl Effect {
    /// The effect of several attempts together: none only if each had none.
    #[must_use]
    pub const fn and(self, later: Self) -> Self {
        match (self, later) {
            (Self::None, Self::None) => Self::None,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }
}

/// Why a Runtime could not be reached or could not take a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its name does not resolve.
    Dns,
    /// Nothing listens at its address.
    Refused,
    /// The TLS handshake failed.
    Tls,
    /// The connection was closed or reset before the answer was whole.
    Reset,
    /// It is shutting down.
    Draining,
    /// It has too much to do.
    Overloaded,
    /// It failed so often that it is not asked for a while.
    CircuitOpen,
}

impl Reason {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::Draining => "draining",
            Self::Overloaded => "overloaded",
            Self::CircuitOpen => "circuit_open",
        }
    }
}

/// In which part of an exchange the time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Connecting.
    Connect,
    /// Waiting for the head of the answer.
    Response,
    /// Reading the body of the answer.
    Body,
}

impl Phase {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Response => "response",
            Self::Body => "body",
        }
    }
}

/// One field of a request that is at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the body; for a query parameter `/` and its name.
    pub pointer: String,
    /// What is wrong and what would be right, for people.
    pub message: String,
}

impl FieldError {
    /// The most of a name that a pointer shows, in characters.
    const MAX_STEP_CHARS: usize = 64;

    /// One step of a [`pointer`](Self::pointer): `/` and the name of a field, escaped. The name may
    /// be the caller's own choice, so it is shown bounded and without control characters.
    #[must_use]
    pub fn step(name: &str) -> String {
        let shown = name.chars().filter(|c| !c.is_control());
        let shown: String = shown.take(Self::MAX_STEP_CHARS).collect();
        format!("/{}", shown.replace('~', "~0").replace('/', "~1"))
    }
}

/// The typed fields that some codes carry beside the common ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Details {
    /// `invalid_request`: each field at fault.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "crate::absent::or_default"
    )]
    pub errors: Vec<FieldError>,
    /// `worker_busy`: the run that is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_run_id: Option<RunId>,
    /// `payload_too_large`: the limit that was passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<u64>,
    /// `limit_reached`: the name of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// `operation_unsupported` and `operation_denied`: the operation or capability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// `runtime_unreachable` and `runtime_unavailable`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// `runtime_timed_out`: in which part of the exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// When to try again, in milliseconds; goes together with `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// What failed, in types alone: no text, no address, no credential can hide in it.
///
/// Domain errors turn into one of these, and [`Problem`] is made of one at the edge of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// Who failed; `None` while it is whoever answers.
    pub origin: Option<Origin>,
    /// What a command did. Meaningless for reads, whose answers leave it out.
    pub effect: Effect,
    /// The fields that belong to the code.
    pub details: Box<Details>,
}

impl Failure {
    /// A failure of the server that answers, which changed nothing.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self {
            code,
            origin: None,
            effect: Effect::None,
            details: Box::default(),
        }
    }

    /// A request that does not validate, with the one field at fault.
    #[must_use]
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest).with_error(pointer, message)
    }

    /// An operation, or a way of doing it, that the Runtime lacks.
    #[must_use]
    pub fn unsupported(operation: impl Into<String>) -> Self {
        let mut failure = Self::new(Code::OperationUnsupported);
        failure.details.operation = Some(operation.into());
        failure
    }

    /// An operation that policy does not allow.
    #[must_use]
    pub fn denied(operation: Operation) -> Self {
        let mut failure = Self::new(Code::OperationDenied);
        failure.details.operation = Some(operation.as_str().to_owned());
        failure
    }

    /// A limit of the answering server, by its name.
    #[must_use]
    pub fn limit(name: impl Into<String>) -> Self {
        let mut failure = Self::new(Code::LimitReached);
        failure.details.limit = Some(name.into());
        failure
    }

    /// A body or an input over its limit.
    #[must_use]
    pub fn too_large(limit_bytes: u64) -> Self {
        let mut failure = Self::new(Code::PayloadTooLarge);
        failure.details.limit_bytes = Some(limit_bytes);
        failure
    }

    /// The same failure, told of somebody.
    #[must_use]
    pub fn by(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The same failure with another effect.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// The same failure with a reason.
    #[must_use]
    pub fn with_reason(mut self, reason: Reason) -> Self {
        self.details.reason = Some(reason);
        self
    }

    /// The same failure with a phase.
    #[must_use]
    pub fn with_phase(mut self, phase: Phase) -> Self {
        self.details.phase = Some(phase);
        self
    }

    /// The same failure with one more field at fault.
    #[must_use]
    pub fn with_error(mut self, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        self.details.errors.push(FieldError {
            pointer: pointer.into(),
            message: message.into(),
        });
        self
    }

    /// The same failure with a time to try again.
    #[must_use]
    pub fn with_retry_after_ms(mut self, ms: u64) -> Self {
        self.details.retry_after_ms = Some(ms);
        self
    }

    /// The answer that tells of this failure.
    ///
    /// `me` is the server that answers, `about` what the request was about, `operation` what it
    /// asked for where that is known: only problems of commands carry an effect.
    #[must_use]
    pub fn into_problem(
        self,
        me: Origin,
        about: &Subject,
        operation: Option<Operation>,
    ) -> Problem {
        Problem {
            problem_type: self.code.urn().to_owned(),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            code: self.code,
            detail: self.describe(about),
            runtime_id: about.runtime_id.clone(),
            worker_id: about.worker_id.clone(),
            request_id: about.request_id.clone(),
            origin: self.origin.unwrap_or(me),
            effect: operation
                .is_some_and(Operation::is_command)
                .then_some(self.effect),
            details: *self.details,
        }
    }
}

/// What a request was about, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The Runtime that was addressed.
    pub runtime_id: Option<RuntimeId>,
    /// The Worker that was addressed.
    pub worker_id: Option<WorkerId>,
    /// The request.
    pub request_id: Option<RequestId>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe(&Subject::default()))
    }
}

impl std::error::Error for Failure {}
