//! The bytes of a body, within bounds.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, EXPECT};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::time::timeout;
use yoi_protocol::{Code, Failure};

use crate::Rejection;
use crate::edge::BodyBounds;
use crate::once::once;

/// Used where no edge says otherwise.
const DEFAULT_BOUNDS: BodyBounds = BodyBounds {
    max_bytes: 1_048_576,
    timeout: Duration::from_secs(30),
};

/// How long a peer whose body is too large may go on writing before it is answered.
const LINGER: Duration = Duration::from_secs(1);

/// The whole body: `payload_too_large` over the limit, `timed_out` when it does not arrive,
/// `invalid_request` when it breaks off.
///
/// A body whose declared length is over the limit is refused by that: nobody has to send it first.
pub(super) async fn read(request: Request) -> Result<(HeaderMap, Bytes), Rejection> {
    let bounds = request
        .extensions()
        .get()
        .copied()
        .unwrap_or(DEFAULT_BOUNDS);
    let (parts, mut body) = request.into_parts();
    let is_asking = parts.headers.contains_key(EXPECT);
    let reading = async {
        let is_declared_too_large = body.size_hint().lower() > bounds.max_bytes;
        if !is_declared_too_large && let Some(bytes) = collect(&mut body, bounds.max_bytes).await? {
            return Ok(bytes);
        }
        // Who asks before it sends must not be told to go on.
        if !(is_declared_too_large && is_asking) {
            throw_away(&mut body, bounds.max_bytes).await;
        }
        Err(Failure::too_large(bounds.max_bytes).into())
    };
    match timeout(bounds.timeout, reading).await {
        Ok(outcome) => outcome.map(|bytes| (parts.headers, bytes)),
        Err(_) => Err(Rejection::code(Code::TimedOut)),
    }
}

/// The whole body; `None` when it is larger than `max_bytes`.
async fn collect(body: &mut Body, max_bytes: u64) -> Result<Option<Bytes>, Rejection> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Failure::invalid("", "broke off").into());
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let length = read.len().saturating_add(data.len());
        if u64::try_from(length).map_or(true, |length| length > max_bytes) {
            return Ok(None);
        }
        read.extend_from_slice(&data);
    }
    Ok(Some(read.freeze()))
}

/// Takes a little more of a body that is too large: a peer that is still writing would see a reset
/// instead of the answer.
async fn throw_away(body: &mut Body, max_bytes: u64) {
    let taking = async {
        let mut taken = 0_u64;
        while let Some(Ok(frame)) = body.frame().await {
            taken += frame.data_ref().map_or(0, |data| data.len() as u64);
            if taken > max_bytes.saturating_mul(2) {
                return;
            }
        }
    };
    // However much came, the answer is the same.
    let _ = timeout(LINGER, taking).await;
}

/// Whether a body says that it is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = once(headers, CONTENT_TYPE).ok().flatten();
    let Some(text) = kind.and_then(|kind| kind.to_str().ok()) else {
        return false;
    };
    let mut parts = text.split(';');
    let kind = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json =
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    is_json && parts.all(is_utf8_if_charset)
}

fn is_utf8_if_charset(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        Some(_) | None => true,
    }
}
