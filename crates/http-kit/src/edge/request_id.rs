//! The name of a request across hops.

use axum::extract::Request;
use uuid::Uuid;
use yoi_protocol::{RequestId, header};

use crate::once::once;

/// The caller's request id when there is one and it is well-formed, else a new one.
pub(super) fn of(request: &Request) -> RequestId {
    once(request.headers(), header::REQUEST_ID)
        .ok()
        .flatten()
        .and_then(|named| RequestId::parse(named.to_str().ok()?).ok())
        .unwrap_or_else(mint)
}

fn mint() -> RequestId {
    RequestId::parse(&format!("req-{}", Uuid::now_v7())).expect("a UUID is URL-safe")
}
