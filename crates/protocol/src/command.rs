//! Bodies and answers of input, cancel and stop.

use serde::{Deserialize, Serialize};

use crate::{Cursor, FieldError, RunId, RuntimeId, Timestamp, Worker, WorkerId};

/// The body of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InputRequest {
    /// What the Worker is told.
    pub content: String,
    /// Who says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<InputKind>,
}

impl InputRequest {
    /// An input from the user.
    #[must_use]
    pub fn new(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            kind: None,
        }
    }
}

/// Who speaks in an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// The user.
    User,
}

/// The answer to an input, 202: it is applied, and its run has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InputAccepted {
    /// The Runtime.
    pub runtime_id: RuntimeId,
    /// The Worker.
    pub worker_id: WorkerId,
    /// The run that the input began.
    pub run_id: RunId,
    /// The sequence of the user's entry in the transcript.
    pub sequence: u64,
    /// The position of the `input_accepted` event: resuming from here shows all that follows.
    pub cursor: Cursor,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// The body of a cancel; none at all means the same as an empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CancelRequest {
    /// Only this run; whichever is active when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl CancelRequest {
    /// Every field that is well-typed but not allowed.
    #[must_use]
    pub fn validate(&self) -> Vec<FieldError> {
        reason_errors(self.reason.as_deref())
    }
}

/// The answer to a cancel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cancelled {
    /// The Worker afterwards.
    pub worker: Worker,
    /// The run that the cancel ended; absent when there was none to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled_run_id: Option<RunId>,
}

/// The body of a stop; none at all means the same as an empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct StopRequest {
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl StopRequest {
    /// Every field that is well-typed but not allowed.
    #[must_use]
    pub fn validate(&self) -> Vec<FieldError> {
        reason_errors(self.reason.as_deref())
    }
}

/// The answer to a stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stopped {
    /// The Worker afterwards.
    pub worker: Worker,
}

/// The longest reason, in characters.
pub const MAX_REASON_CHARS: usize = 1024;

fn reason_errors(reason: Option<&str>) -> Vec<FieldError> {
    if reason.is_some_and(|text| text.chars().count() > MAX_REASON_CHARS) {
        vec![FieldError {
            pointer: "/reason".to_owned(),
            message: "must be at most 1024 characters".to_owned(),
        }]
    } else {
        Vec::new()
    }
}
