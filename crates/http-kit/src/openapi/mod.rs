//! The table of a server's routes, and the OpenAPI 3.1 document that follows from it.
//!
//! The same table tells the edge which operation a request asks for, and a server's tests hold
//! its router to it, so that what the document says is what is served.

mod document;
mod headers;
mod operations;
mod route;
mod table;

pub use document::DocumentInfo;
pub use operations::{Operations, upkeep};
pub use route::{ParamKind, RouteDoc};
pub use table::{DocumentedRoute, RouteTable};
