//! Frames: what an observer receives, one JSON text message each.

use serde::{Deserialize, Serialize};

use crate::{Code, Cursor, Delta, Event, RunId, RuntimeId, Timestamp, WorkerId};

/// One message of an observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Frame {
    /// A durable event.
    Event(EventFrame),
    /// A piece of something that is being said.
    Delta(DeltaFrame),
    /// Something about the stream itself.
    Control(ControlFrame),
    /// Why the stream ends.
    Diagnostic(DiagnosticFrame),
}

/// A durable event with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventFrame {
    /// Its number: dense from 1 per Worker and life of its log.
    pub seq: u64,
    /// Where to resume to see what follows.
    pub cursor: Cursor,
    /// The Runtime, in frames of a Backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// The Worker.
    pub worker_id: WorkerId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// A piece of something that is being said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeltaFrame {
    /// The Runtime, in frames of a Backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// The Worker.
    pub worker_id: WorkerId,
    /// The piece.
    pub delta: Delta,
}

/// Something about the stream itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ControlFrame {
    /// The Runtime, in frames of a Backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// What.
    pub control: Control,
}

/// What can be said of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Control {
    /// The past is told; what follows is live.
    CaughtUp {
        /// What the active run has said since its last entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_flight: Option<InFlight>,
    },
    /// The Backend has lost the Runtime and reconnects by itself.
    UpstreamLost {
        /// How.
        code: Code,
    },
    /// The Backend has the Runtime back; nothing was lost.
    UpstreamRestored,
    /// Something that a newer version says.
    #[serde(other)]
    Unknown,
}

/// What the active run has said since its last entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InFlight {
    /// The run.
    pub run_id: RunId,
    /// Its answer so far.
    #[serde(
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "crate::absent::or_default"
    )]
    pub text: String,
    /// Its thinking so far.
    #[serde(
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "crate::absent::or_default"
    )]
    pub thinking: String,
    /// The arguments so far of each use of a tool.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "crate::absent::or_default"
    )]
    pub tool_arguments: Vec<ToolArguments>,
}

/// The arguments so far of one use of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToolArguments {
    /// The use of the tool.
    pub call_id: String,
    /// The arguments so far.
    pub text: String,
}

/// Why the stream ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiagnosticFrame {
    /// The Runtime, in frames of a Backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// Why.
    pub diagnostic: FrameDiagnostic,
}

/// Why a stream ends, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FrameDiagnostic {
    /// An error code, or `slow_consumer`, `draining`, `observation_only`.
    pub code: String,
    /// In words.
    pub message: String,
}
