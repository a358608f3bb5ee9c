//! Problem answers (RFC 9457), and the words that both servers use for them.

use serde::{Deserialize, Serialize};

use crate::failure::Subject;
use crate::{Code, Details, Effect, Failure, FieldError, Origin, RequestId, RuntimeId, WorkerId};

/// The body of every answer that is not a success: `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `urn:yoi:problem:` and the code.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status, which belongs to the code.
    pub status: u16,
    /// What went wrong, as a closed set.
    pub code: Code,
    /// What happened and what to do, for people. Never an address, a credential or a path.
    #[serde(default, deserialize_with = "crate::absent::or_default")]
    pub detail: String,
    /// The Runtime that was addressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// The Worker that was addressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    /// The request, as in the header `x-request-id` and in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// Who failed.
    pub origin: Origin,
    /// What a failed command did; absent for reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// The fields that belong to the code.
    #[serde(flatten)]
    pub details: Details,
}

impl Problem {
    /// The media type of the body.
    pub const CONTENT_TYPE: &'static str = "application/problem+json";

    /// The failure that this answer tells of, without its words. An absent effect reads as
    /// unknown: who does not say is not trusted to have done nothing.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        Failure {
            code: self.code,
            origin: Some(self.origin),
            effect: self.effect.unwrap_or(Effect::Unknown),
            details: Box::new(self.details),
        }
    }
}

impl Failure {
    /// One sentence for people, made of the code and the typed fields alone.
    #[must_use]
    pub fn describe(&self, about: &Subject) -> String {
        let worker = about
            .worker_id
            .as_ref()
            .map_or("the worker".into(), |id| format!("worker {id}"));
        let named = |id: Option<&str>, what: &str| match id {
            Some(id) => format!("{what} {id}"),
            None => format!("such {what}"),
        };
        let runtime = about
            .runtime_id
            .as_ref()
            .map_or("the runtime".into(), |id| format!("runtime {id}"));
        let details = &*self.details;
        match self.code {
            Code::InvalidRequest => match details.errors.as_slice() {
                [] => "the request does not validate".to_owned(),
                [first, rest @ ..] => {
                    let message = &first.message;
                    format!("{}: {message}{}", place(&first.pointer), more(rest))
                }
            },
            Code::CursorInvalid => {
                "this is not a cursor that this server could have made; start without one"
                    .to_owned()
            }
            Code::Unauthorized => "a valid bearer token is needed".to_owned(),
            Code::ForbiddenOrigin => {
                "the Host, Origin or fetch metadata of the request is not allowed here".to_owned()
            }
            Code::OperationDenied => format!("{} is not allowed on {runtime}", operation(details)),
            Code::RouteNotFound => "there is no such route".to_owned(),
            Code::RuntimeNotFound => {
                let id = about.runtime_id.as_ref().map(RuntimeId::as_str);
                format!("there is no {}", named(id, "runtime"))
            }
            Code::WorkerNotFound => {
                let id = about.worker_id.as_ref().map(WorkerId::as_str);
                format!("there is no {}", named(id, "worker"))
            }
            Code::MethodNotAllowed => {
                "the route exists, but not with this method; see Allow".to_owned()
            }
            Code::WorkerAlreadyExists => format!("{worker} exists already"),
            Code::WorkerBusy => match &details.active_run_id {
                Some(run) => format!("{worker} is running {run}"),
                None => format!("{worker} is running"),
            },
            Code::WorkerStopped => format!("{worker} is stopped for good"),
            Code::CursorExpired => {
                "the events after this cursor are no longer kept; start without one".to_owned()
            }
            Code::CursorUnknown => {
                "this cursor is of another worker or another life of it; start without one"
                    .to_owned()
            }
            Code::PayloadTooLarge => match details.limit_bytes {
                Some(limit) => format!("at most {limit} bytes are taken"),
                None => "the payload is too large".to_owned(),
            },
            Code::UnsupportedMediaType => "send JSON with content-type application/json".to_owned(),
            Code::MisdirectedRequest => {
                "the request names another runtime than this one".to_owned()
            }
            Code::IdempotencyConflict => {
                "this idempotency key was used with another body".to_owned()
            }
            Code::UpgradeRequired => "this route speaks WebSocket; send an upgrade".to_owned(),
            Code::LimitReached => match &details.limit {
                Some(limit) => format!("the limit {limit} is reached"),
                None => "a limit is reached".to_owned(),
            },
            Code::Internal => "a fault of ours; the log has it under the request id".to_owned(),
            Code::StoreFailed => format!("the store of {runtime} failed"),
            Code::OperationUnsupported => match details.errors.as_slice() {
                [] => format!("{runtime} does not support {}", operation(details)),
                // The operation is there, but not with what these fields ask for.
                [first, rest @ ..] => {
                    let (place, operation) = (place(&first.pointer), operation(details));
                    format!(
                        "{runtime} does not support {place} of {operation}{}",
                        more(rest)
                    )
                }
            },
            Code::RuntimeUnreachable => format!("{runtime} cannot be reached{}", because(details)),
            Code::RuntimeIdentityMismatch => {
                format!("another runtime answers in the place of {runtime}")
            }
            Code::RuntimeAuthFailed => format!("{runtime} refused the Backend's credential"),
            Code::RuntimeProtocolError => format!("what {runtime} answered is not the protocol"),
            Code::RuntimeFailed => format!("{runtime} failed"),
            Code::Unavailable => "the server cannot take this now".to_owned(),
            Code::RuntimeUnavailable => {
                format!("{runtime} cannot take this now{}", because(details))
            }
            Code::TimedOut => "not finished in time".to_owned(),
            Code::RuntimeTimedOut => match details.phase {
                Some(phase) => format!("{runtime} did not answer in time ({})", phase.as_str()),
                None => format!("{runtime} did not answer in time"),
            },
        }
    }
}

/// Where in a request a field is. The empty pointer is the whole body.
fn place(pointer: &str) -> &str {
    if pointer.is_empty() {
        "the body"
    } else {
        pointer
    }
}

/// That only the first of the fields at fault was told.
fn more(rest: &[FieldError]) -> String {
    match rest.len() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    }
}

fn operation(details: &Details) -> &str {
    details.operation.as_deref().unwrap_or("the operation")
}

fn because(details: &Details) -> String {
    details
        .reason
        .map_or_else(String::new, |reason| format!(" ({})", reason.as_str()))
}
