//! The name of a request across hops.

use axum::extract::Request;
use uuid::Uuid;
use yoi_protocol::{RequestId, header};

/// The caller's request id when there is one and it is well-formed, else a new one.
pub(super) fn of(request: &Request) -> RequestId {
    let mut named = request.headers().get_all(header::REQUEST_ID).iter();
    match (named.next(), named.next()) {
        (Some(only), None) => only
            .to_str()
            .ok()
            .and_then(|text| RequestId::parse(text).ok()),
        (None | Some(_), _) => None,
    }
    .unwrap_or_else(mint)
}

fn mint() -> RequestId {
    RequestId::parse(&format!("req-{}", Uuid::now_v7())).expect("a UUID is URL-safe")
}
