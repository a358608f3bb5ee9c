//! The wire contract of yoi, version 1.
//!
//! Every id, body, event, frame, error code, header and URL that a Runtime, a Backend or one of
//! their clients puts on the wire is defined here, once. The Runtime's Rust API returns these
//! types, both servers serve them and both clients parse them, so that an embedded and a remote
//! Runtime have nothing to convert and cannot drift apart.
//!
//! The crate does no I/O. Readers are lenient: fields they do not know are ignored, and `null`
//! means the same as absent. Writers are strict: what is absent is left out.

mod absent;
pub mod code;
pub mod command;
pub mod event;
pub mod failure;
pub mod fleet;
pub mod frame;
pub mod header;
pub mod id;
pub mod limits;
pub mod list;
pub mod operation;
pub mod path;
pub mod problem;
pub mod raw_frame;
pub mod runtime;
pub mod stream;
pub mod time;
pub mod transcript;
pub mod worker;

pub use code::Code;
pub use command::{
    CancelRequest, Cancelled, InputAccepted, InputKind, InputRequest, StopRequest, Stopped,
};
pub use event::{Delta, Event, Outcome, RunError, UnknownDelta, UnknownEvent};
pub use failure::{Details, Effect, Failure, FieldError, Origin, Phase, Reason, Subject};
pub use fleet::{
    CircuitState, CircuitView, Incomplete, LastError, RuntimeDetail, RuntimeEntry, RuntimeList,
    RuntimeStatus, Source, WorkerSweep,
};
pub use frame::{
    Control, ControlFrame, DeltaFrame, DiagnosticFrame, EventFrame, Frame, FrameDiagnostic,
    InFlight, ToolArguments,
};
pub use id::{
    BootId, Cursor, IdError, IdempotencyKey, PageToken, RequestId, RunId, RuntimeId, WorkerId,
};
pub use limits::Limits;
pub use list::{ListQuery, TranscriptQuery, WorkerPage};
pub use operation::{Capability, Operation};
pub use path::Api;
pub use problem::Problem;
pub use raw_frame::{RawFrame, RawFrameError};
pub use runtime::{Diagnostic, Profile, RuntimeInfo, RuntimeState, Severity, WorkerCounts};
pub use stream::StreamEnd;
pub use time::Timestamp;
pub use transcript::{Entry, Role, Transcript};
pub use worker::{
    ActiveRun, ConfigBundle, CreateWorker, Intent, IntentKind, LastRun, Reference,
    RequestedCapability, Worker, WorkerStatus, WorkerSummary,
};
