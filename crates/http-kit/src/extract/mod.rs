//! Reads a request. What an extractor refuses is a problem that names the field.

mod body;
mod caller;
mod json;
mod path;
mod pointer;
mod query;
mod resume;

pub use caller::{About, Caller, Deadline, Key, Principal, TraceParent};
pub use json::{ApiJson, OptionalJson};
pub use path::{RuntimePath, WorkerPath};
pub use query::ApiQuery;
pub use resume::{CursorParam, ResumeFrom};
