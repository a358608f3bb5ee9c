//! What was said, entry by entry.

use serde::{Deserialize, Serialize};

use crate::{RunId, RuntimeId, Timestamp, WorkerId};

/// One page of a Worker's transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Transcript {
    /// The Runtime.
    pub runtime_id: RuntimeId,
    /// The Worker.
    pub worker_id: WorkerId,
    /// The first sequence that is still kept; there are no holes from there on.
    pub first_sequence: u64,
    /// The entries, by rising sequence.
    pub entries: Vec<Entry>,
    /// Where the next page starts, as `after`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_after: Option<u64>,
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entry {
    /// Its place in the transcript, from 1, without holes.
    pub sequence: u64,
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub content: String,
    /// The run it belongs to.
    pub run_id: RunId,
    /// When it was said.
    pub at: Timestamp,
    /// True where a policy took the content away.
    #[serde(
        default,
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "crate::absent::or_default"
    )]
    pub redacted: bool,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whoever sent the input.
    User,
    /// The Worker.
    Assistant,
    /// The Worker's instructions.
    System,
    /// A tool that the Worker used.
    Tool,
}
