//! Durable events, and the transient deltas between them.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Entry, RunId, Severity, Worker, WorkerStatus};

/// Something that happened to a Worker. A Worker is the fold of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// All that happened up to here, in one. The first event of every Worker's log is one, too.
    Snapshot {
        /// The Worker.
        worker: Box<Worker>,
        /// The latest entries, bounded.
        transcript: Vec<Entry>,
        /// The first sequence that is still kept.
        first_sequence: u64,
    },
    /// An input was taken.
    InputAccepted {
        /// The user's entry.
        entry: Entry,
    },
    /// A run began.
    RunStarted {
        /// Which.
        run_id: RunId,
    },
    /// Something was said.
    EntryAppended {
        /// What.
        entry: Entry,
    },
    /// The Worker begins to use a tool.
    ToolCallStarted {
        /// The run.
        run_id: RunId,
        /// This use of the tool.
        call_id: String,
        /// The tool.
        name: String,
    },
    /// The Worker has said what it wants of the tool.
    ToolCallFinished {
        /// The run.
        run_id: RunId,
        /// This use of the tool.
        call_id: String,
        /// The arguments, as text.
        arguments: String,
    },
    /// A tool has answered.
    ToolResult {
        /// The run.
        run_id: RunId,
        /// This use of the tool.
        call_id: String,
        /// Whether it worked.
        ok: bool,
        /// The answer.
        content: String,
    },
    /// What a run has used.
    Usage {
        /// The run.
        run_id: RunId,
        /// Tokens read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_tokens: Option<u64>,
        /// Tokens written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output_tokens: Option<u64>,
    },
    /// The Worker's status is another.
    StatusChanged {
        /// Which.
        status: WorkerStatus,
    },
    /// A run ended.
    RunFinished {
        /// Which.
        run_id: RunId,
        /// How.
        outcome: Outcome,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<RunError>,
    },
    /// The Worker is stopped for good; nothing follows.
    WorkerStopped {
        /// Why, in the words of whoever stopped it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Something that an observer should know.
    Diagnostic {
        /// How bad it is.
        severity: Severity,
        /// What it is, for programs.
        code: String,
        /// What it is, for people.
        message: String,
    },
    /// An event of a newer version, kept as it came.
    #[serde(untagged)]
    Unknown(UnknownEvent),
}

impl Event {
    /// The types that this version knows.
    pub const TYPES: &'static [&'static str] = &[
        "snapshot",
        "input_accepted",
        "run_started",
        "entry_appended",
        "tool_call_started",
        "tool_call_finished",
        "tool_result",
        "usage",
        "status_changed",
        "run_finished",
        "worker_stopped",
        "diagnostic",
    ];

    /// Its type, as it stands on the wire.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::Snapshot { .. } => "snapshot",
            Self::InputAccepted { .. } => "input_accepted",
            Self::RunStarted { .. } => "run_started",
            Self::EntryAppended { .. } => "entry_appended",
            Self::ToolCallStarted { .. } => "tool_call_started",
            Self::ToolCallFinished { .. } => "tool_call_finished",
            Self::ToolResult { .. } => "tool_result",
            Self::Usage { .. } => "usage",
            Self::StatusChanged { .. } => "status_changed",
            Self::RunFinished { .. } => "run_finished",
            Self::WorkerStopped { .. } => "worker_stopped",
            Self::Diagnostic { .. } => "diagnostic",
            Self::Unknown(unknown) => &unknown.event_type,
        }
    }
}

macro_rules! unknown {
    ($(#[$doc:meta])* $name:ident, $tag:ident, $known:expr, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct $name {
            /// The type.
            #[serde(rename = "type")]
            pub $tag: String,
            /// Everything else.
            #[serde(flatten)]
            #[cfg_attr(feature = "openapi", schema(value_type = Object))]
            pub fields: serde_json::Map<String, serde_json::Value>,
        }

        impl<'de> Deserialize<'de> for $name {
            // A known type that came this far has a fault in its own fields.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                let mut fields = serde_json::Map::deserialize(deserializer)?;
                match fields.remove("type") {
                    Some(serde_json::Value::String(name)) if $known.contains(&name.as_str()) => {
                        Err(D::Error::custom(format!(concat!("not a valid {} ", $what), name)))
                    }
                    Some(serde_json::Value::String($tag)) => Ok(Self { $tag, fields }),
                    _ => Err(D::Error::custom(concat!("every ", $what, " needs a type"))),
                }
            }
        }
    };
}

unknown!(
    /// An event whose type this version does not know, with all its fields.
    UnknownEvent, event_type, Event::TYPES, "event"
);
unknown!(
    /// A delta whose type this version does not know, with all its fields.
    UnknownDelta, delta_type, Delta::TYPES, "delta"
);

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// By itself, well.
    Completed,
    /// Somebody ended it.
    Cancelled,
    /// Not well.
    Failed,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunError {
    /// For programs: `exit_status`, `output_limit`, `spawn_failed`, `interrupted`, …
    pub code: String,
    /// For people.
    pub message: String,
}

/// A piece of something that a run is saying. Transient: the entry that follows has it whole.
///
/// Offsets count UTF-8 bytes per run, type and `call_id`, from 0 after each entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Delta {
    /// A piece of the answer.
    Text {
        /// The run.
        run_id: RunId,
        /// Where it starts.
        offset: u64,
        /// The piece.
        text: String,
    },
    /// A piece of the thinking.
    Thinking {
        /// The run.
        run_id: RunId,
        /// Where it starts.
        offset: u64,
        /// The piece.
        text: String,
    },
    /// A piece of the arguments for a tool.
    ToolArguments {
        /// The run.
        run_id: RunId,
        /// The use of the tool.
        call_id: String,
        /// Where it starts.
        offset: u64,
        /// The piece.
        text: String,
    },
    /// A delta of a newer version, kept as it came.
    #[serde(untagged)]
    Unknown(UnknownDelta),
}

impl Delta {
    /// The types that this version knows.
    pub const TYPES: &'static [&'static str] = &["text", "thinking", "tool_arguments"];
}
