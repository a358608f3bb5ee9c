//! The Runtime: four groups of methods over one log per Worker.

mod budget;
mod builder;
mod catalog;
mod command;
mod commit;
mod counts;
pub(crate) mod decide;
mod drain;
mod feed;
mod forget;
mod frames;
mod inner;
mod interaction;
mod management;
mod observation;
mod reading;
mod recover;
mod run;
mod slot;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;
use yoi_protocol::{Cursor, IdempotencyKey};

pub use builder::RuntimeBuilder;
use inner::Inner;
pub use observation::Observation;

/// A Runtime. Cheap to clone; all clones are the same Runtime.
///
/// Its methods need a tokio runtime with time and I/O enabled. End it with [`Runtime::drain`]:
/// just dropping it leaves active runs to themselves.
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("id", self.id())
            .field("boot_id", self.boot_id())
            .finish_non_exhaustive()
    }
}

/// What a command carries beside its body.
#[derive(Debug, Clone, Default)]
pub struct CommandContext {
    /// Names the intended command, so that sending it again applies it once.
    pub key: Option<IdempotencyKey>,
    /// When the caller stops waiting. It can only shorten `operation_timeout_ms`.
    pub deadline: Option<Instant>,
}

/// The answer to a command that is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied<T> {
    /// The answer.
    pub value: T,
    /// Whether it is the answer to an earlier command with the same key.
    pub replayed: bool,
}

/// One message of an observation, serialised once and shared by all who read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedFrame {
    /// The frame as JSON, valid UTF-8.
    pub text: Bytes,
    /// The position, for frames that are events.
    pub cursor: Option<Cursor>,
}

/// Whether a Runtime can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// It shuts down: reads go on, commands are refused.
    Draining,
    /// Something that was kept cannot be read: what it touches fails, the rest goes on.
    StoreDamaged,
    /// The store failed in a way that it does not recover from: reads go on, commands are
    /// refused.
    StoreFailed,
}
