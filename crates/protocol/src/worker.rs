//! Workers: what they are created from and what is said of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::{Outcome, RunError};
use crate::{FieldError, RunId, RuntimeId, Timestamp, WorkerId};

/// The body of a create.
///
/// A profile is a name that the Runtime knows: a caller never supplies a program, an address or
/// a path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CreateWorker {
    /// The id; one is generated when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    /// A name for people, 1 to 128 characters without control characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the Worker runs; the Runtime's default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What the Worker is for. Kept and shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// Free labels. Kept and shown.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "crate::absent::or_default"
    )]
    pub labels: BTreeMap<String, String>,
    /// A bundle of configuration that the Runtime must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_bundle: Option<ConfigBundle>,
    /// What the Worker needs to be able to do.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "crate::absent::or_default"
    )]
    pub requested_capabilities: Vec<RequestedCapability>,
    /// Workspaces that the Worker needs.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "crate::absent::or_default"
    )]
    pub workspace_refs: Vec<Reference>,
    /// Mounts that the Worker needs.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "crate::absent::or_default"
    )]
    pub mount_refs: Vec<Reference>,
}

impl CreateWorker {
    /// The most labels.
    pub const MAX_LABELS: usize = 64;
    /// The longest label key or value, in characters.
    pub const MAX_LABEL_CHARS: usize = 256;
    /// The longest display name, in characters.
    pub const MAX_DISPLAY_NAME_CHARS: usize = 128;

    /// Every field that is well-typed but not allowed, empty when the body is fine.
    #[must_use]
    pub fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut fault = |pointer: String, message: &str| {
            errors.push(FieldError {
                pointer,
                message: message.to_owned(),
            });
        };
        if self
            .display_name
            .as_deref()
            .is_some_and(|name| !is_display_name(name))
        {
            fault(
                "/display_name".into(),
                "must be 1 to 128 characters, none of them a control character",
            );
        }
        if self.profile.as_deref().is_some_and(str::is_empty) {
            fault(
                "/profile".into(),
                "must name a profile of the runtime; leave it out for the default",
            );
        }
        if self.labels.len() > Self::MAX_LABELS {
            fault("/labels".into(), "must have at most 64 labels");
        }
        for (key, value) in &self.labels {
            let fits = |text: &str| {
                text.chars().count() <= Self::MAX_LABEL_CHARS && !text.chars().any(char::is_control)
            };
            if key.is_empty() || !fits(key) || !fits(value) {
                fault(
                    format!("/labels{}", FieldError::step(key)),
                    "keys (not empty) and values must be at most 256 characters, none of them a control character",
                );
            }
        }
        errors
    }
}

/// Whether `name` may be shown as a display name.
#[must_use]
pub fn is_display_name(name: &str) -> bool {
    (1..=CreateWorker::MAX_DISPLAY_NAME_CHARS).contains(&name.chars().count())
        && !name.chars().any(char::is_control)
}

/// What a Worker is for. Fields beside `kind` are kept and shown as they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Intent {
    /// The kind of work.
    pub kind: IntentKind,
    /// Whatever else the caller said of it.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub more: serde_json::Map<String, serde_json::Value>,
}

/// The kind of work that a Worker is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IntentKind {
    /// It answers somebody.
    Assistant,
    /// It does one thing.
    Task,
    /// It fills a role.
    Role,
}

/// A bundle of configuration, by name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigBundle {
    /// Its name.
    pub id: String,
    /// The digest of its content.
    pub digest: String,
}

/// Something that a Worker needs to be able to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestedCapability {
    /// What.
    pub name: String,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Something outside the Runtime, by a name inside the Worker. Never a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reference {
    /// The name inside the Worker.
    pub name: String,
    /// What the Runtime resolves.
    pub reference: String,
}

/// What a Worker does right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkerStatus {
    /// It waits for an input.
    Idle,
    /// A run is active.
    Running,
    /// It is stopped for good.
    Stopped,
}

impl WorkerStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Stopped => "stopped",
        }
    }
}

/// A Worker, whole: the fold of its durable events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Worker {
    /// Its Runtime.
    pub runtime_id: RuntimeId,
    /// Its name within the Runtime.
    pub worker_id: WorkerId,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `<worker name>@<runtime name>`, for people; no operation takes it.
    pub display_ref: String,
    /// What it does right now.
    pub status: WorkerStatus,
    /// What it runs.
    pub profile: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// Free labels.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "crate::absent::or_default"
    )]
    pub labels: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its last event was.
    pub updated_at: Timestamp,
    /// The sequence of its last transcript entry, 0 before the first.
    pub transcript_length: u64,
    /// The run that is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_run: Option<ActiveRun>,
    /// The run that ended last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
}

impl Worker {
    /// The short form for lists.
    #[must_use]
    pub fn summary(&self) -> WorkerSummary {
        WorkerSummary {
            runtime_id: self.runtime_id.clone(),
            worker_id: self.worker_id.clone(),
            display_name: self.display_name.clone(),
            display_ref: self.display_ref.clone(),
            status: self.status,
            profile: self.profile.clone(),
            labels: self.labels.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// The short form of a [`Worker`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkerSummary {
    /// Its Runtime.
    pub runtime_id: RuntimeId,
    /// Its name within the Runtime.
    pub worker_id: WorkerId,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `<worker name>@<runtime name>`, for people.
    pub display_ref: String,
    /// What it does right now.
    pub status: WorkerStatus,
    /// What it runs.
    pub profile: String,
    /// Free labels.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "crate::absent::or_default"
    )]
    pub labels: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its last event was.
    pub updated_at: Timestamp,
}

/// The run that is active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActiveRun {
    /// Its id.
    pub run_id: RunId,
    /// When it began.
    pub started_at: Timestamp,
}

/// The run that ended last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastRun {
    /// Its id.
    pub run_id: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// When it ended.
    pub finished_at: Timestamp,
}
