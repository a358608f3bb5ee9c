//! A server that was built without WebSockets says so.

use yoi_http_kit::Rejection;
use yoi_protocol::{Capability, Failure};

/// What the server can do because of this module.
pub(super) const CAPABILITY: Option<Capability> = None;

pub(super) async fn events() -> Rejection {
    Failure::unsupported(Capability::EVENTS_WS.as_str()).into()
}
