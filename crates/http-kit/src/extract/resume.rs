//! From where an observer goes on.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

/// `?cursor=`, as it came: whether it is one, the log's owner knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CursorParam(pub Option<String>);

/// `Last-Event-ID` where there is one, else `?cursor=`.
///
/// The header is what a browser sends by itself when it comes back, while the address still holds
/// the cursor of the first time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResumeFrom(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for CursorParam {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(
            form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == "cursor")
                .map(|(_, value)| value.into_owned()),
        ))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ResumeFrom {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let last = parts
            .headers
            .get("last-event-id")
            .filter(|value| !value.is_empty())
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let Ok(CursorParam(cursor)) = CursorParam::from_request_parts(parts, state).await;
        Ok(Self(last.or(cursor)))
    }
}
