//! The bytes of a body, within bounds.

use axum::body::Body;
use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
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
    timeout: std::time::Duration::from_secs(30),
};

/// The whole body: `payload_too_large` over the limit, `timed_out` when it does not arrive,
/// `invalid_request` when it breaks off.
pub(super) async fn read(request: Request) -> Result<(HeaderMap, Bytes), Rejection> {
    let bounds = request
        .extensions()
        .get()
        .copied()
        .unwrap_or(DEFAULT_BOUNDS);
    let (parts, body) = request.into_parts();
    let reading = collect(body, bounds.max_bytes);
    match timeout(bounds.timeout, reading).await {
        Ok(outcome) => outcome.map(|bytes| (parts.headers, bytes)),
        Err(_) => Err(Rejection::code(Code::TimedOut)),
    }
}

async fn collect(mut body: Body, max_bytes: u64) -> Result<Bytes, Rejection> {
    let fits = |length: usize| u64::try_from(length).is_ok_and(|length| length <= max_bytes);
    let mut read = BytesMut::new();
    let mut too_large = body.size_hint().lower() > max_bytes;
    let mut thrown_away = 0_u64;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Failure::invalid("", "broke off").into());
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        too_large = too_large || !fits(read.len() + data.len());
        if too_large {
            // A peer that is still writing would see a reset instead of the answer: take a
            // little more before giving it one.
            read.clear();
            thrown_away += data.len() as u64;
            if thrown_away > max_bytes.saturating_mul(2) {
                break;
            }
        } else {
            read.extend_from_slice(&data);
        }
    }
    if too_large {
        return Err(Failure::too_large(max_bytes).into());
    }
    Ok(read.freeze())
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
