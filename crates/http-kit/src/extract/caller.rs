//! Who asks, for what, for how long: everything about a request that is in its headers.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use tokio::time::{Instant, timeout_at};
use yoi_protocol::{Code, Failure, IdempotencyKey, RequestId, Subject, header};

use crate::Rejection;
use crate::edge::Arrival;
use crate::once::{Repeated, once};

/// What a request is about: the ids in its path, and its own.
#[derive(Debug, Clone, Default)]
pub struct About(pub Subject);

/// Who asks, by the name of the token; `local` at a server without tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    /// The principal of a server without tokens.
    #[must_use]
    pub fn local() -> Self {
        Self(Arc::from("local"))
    }

    pub(crate) fn nobody() -> Self {
        Self(Arc::from("nobody"))
    }

    pub(crate) fn named(name: Arc<str>) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The instant after which the caller waits no longer, from `yoi-deadline-ms`, counted from the
/// arrival of the head. Not a number from 0 on: `invalid_request` at `/yoi-deadline-ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadline(pub Option<Instant>);

/// A deadline further away than this is none.
const LONGEST_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

impl Deadline {
    /// What a read finds in time.
    ///
    /// # Errors
    /// `timed_out` when the caller waits no longer. `reading` is then dropped: do not use it for
    /// commands, which are carried to their end.
    pub async fn within<T>(self, reading: impl Future<Output = T>) -> Result<T, Rejection> {
        match self.0 {
            None => Ok(reading.await),
            Some(deadline) => timeout_at(deadline, reading)
                .await
                .map_err(|_| Rejection::code(Code::TimedOut)),
        }
    }
}

/// The `Idempotency-Key` of a command. Not 1 to 255 visible ASCII characters, or more than one:
/// `invalid_request` at `/idempotency-key`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Key(pub Option<IdempotencyKey>);

/// The well-formed `traceparent` (W3C Trace Context) of a request; any other is ignored, as that
/// standard asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceParent(pub Option<String>);

/// Who asks, in one.
#[derive(Debug, Clone)]
pub struct Caller {
    /// By which name.
    pub principal: Principal,
    /// In which request.
    pub request_id: Option<RequestId>,
    /// As part of which trace.
    pub traceparent: TraceParent,
    /// Until when.
    pub deadline: Deadline,
}

impl<S: Send + Sync> FromRequestParts<S> for About {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Rejection;

    /// A route that is not behind the edge has no principal: a fault of ours, never a way in.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let principal = parts.extensions.get().cloned();
        principal.ok_or_else(|| Rejection::code(Code::Internal))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Deadline {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let Some(text) = text(&parts.headers, header::DEADLINE_MS)? else {
            return Ok(Self(None));
        };
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let Some(ms) = digits.then(|| text.parse().unwrap_or(u64::MAX)) else {
            return Err(refused(
                header::DEADLINE_MS,
                "must be a whole number of milliseconds",
            ));
        };
        let arrival = parts.extensions.get::<Arrival>();
        let from = arrival.map_or_else(Instant::now, |arrival| arrival.0);
        let wait = Duration::from_millis(ms);
        Ok(Self((wait <= LONGEST_DEADLINE).then(|| from + wait)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let Some(text) = text(&parts.headers, header::IDEMPOTENCY_KEY)? else {
            return Ok(Self(None));
        };
        IdempotencyKey::parse(text)
            .map(|key| Self(Some(key)))
            .map_err(|error| refused(header::IDEMPOTENCY_KEY, &error.to_string()))
    }
}

impl TraceParent {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = text(headers, header::TRACEPARENT).ok().flatten();
        Self(text.filter(|text| is_traceparent(text)).map(str::to_owned))
    }

    /// The trace that the request is part of, in hex.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.0.as_deref()?.split('-').nth(1)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TraceParent {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let Ok(About(subject)) = About::from_request_parts(parts, state).await;
        let Ok(traceparent) = TraceParent::from_request_parts(parts, state).await;
        Ok(Self {
            principal: Principal::from_request_parts(parts, state).await?,
            request_id: subject.request_id,
            traceparent,
            deadline: Deadline::from_request_parts(parts, state).await?,
        })
    }
}

/// The text of a header that may stand once.
fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Rejection> {
    once(headers, name)
        .map_err(|Repeated| refused(name, "must stand once"))?
        .map(|value| value.to_str())
        .transpose()
        .map_err(|_| refused(name, "must be visible ASCII characters"))
}

fn refused(name: &str, message: &str) -> Rejection {
    Failure::invalid(format!("/{name}"), message).into()
}

/// `version-traceid-parentid-flags` in lower-case hex, ids not all zero, version not `ff`.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |part: &str, length: usize| is_hex(part, length) && part.bytes().any(|b| b != b'0');
    match parts.as_slice() {
        [version, trace, parent, flags, rest @ ..] => {
            is_hex(version, 2)
                && *version != "ff"
                && is_id(trace, 32)
                && is_id(parent, 16)
                && is_hex(flags, 2)
                && (rest.is_empty() || (*version != "00" && text.len() <= 256))
        }
        _ => false,
    }
}
