//! What yoi's two HTTP servers share: everything about HTTP that is not a route.
//!
//! - [`server`] takes connections: their number, their slow heads and their end are bounded here.
//! - [`edge`](mod@edge) stands round a router: request ids, the Host and Origin guard, CORS, the bearer
//!   check, the addressee check, the limit on requests, panics, and problems in the house form.
//! - [`extract`] reads a request; what it refuses comes out as a problem that names the field.
//! - [`observe`] sends a stream of frames over a WebSocket or as server-sent events.
//! - [`openapi`] turns the table of routes that the edge works with into an OpenAPI document.
//!
//! A handler returns `Result<impl IntoResponse, Rejection>`; it holds a [`Failure`] and no words,
//! and the edge gives it words, a request id and its subject. So handlers extract, call their
//! library, and answer.
//!
//! [`Failure`]: yoi_protocol::Failure

pub mod edge;
pub mod extract;
pub mod health;
pub mod observe;
mod once;
pub mod openapi;
mod rejection;
mod reply;
pub mod server;
mod settings;

pub use edge::{
    Browsers, EdgeSettings, GuardConfigError, OriginGuard, SecretReader, SourceNames, TokenSet,
    edge,
};
pub use extract::{
    About, ApiJson, ApiQuery, Caller, CursorParam, Deadline, Key, OptionalJson, Principal,
    ResumeFrom, RuntimePath, TraceParent, WorkerPath,
};
pub use observe::{FrameSource, ObserveSettings, OutFrame, sse};
#[cfg(feature = "ws")]
pub use observe::{Upgrade, websocket};
pub use openapi::{DocumentInfo, DocumentedRoute, Operations, ParamKind, RouteDoc, RouteTable};
pub use rejection::Rejection;
pub use reply::{reply, reply_created, reply_replayable};
pub use secrecy::SecretString;
pub use server::{Drain, Listener, ServeOptions, Server, serve_until};
pub use settings::HttpSettings;
