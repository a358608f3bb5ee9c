//! Queries.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::pointer;
use crate::Rejection;

/// The query of a request. Parameters that `T` does not know are ignored; one at fault is named
/// as `/` and its name.
#[derive(Debug, Clone)]
pub struct ApiQuery<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let reader = serde_urlencoded::Deserializer::new(pairs(query));
        serde_path_to_error::deserialize(reader)
            .map(Self)
            .map_err(|error| {
                let at = error.path().clone();
                pointer::failure(&at, &error.into_inner().to_string()).into()
            })
    }
}

fn pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}
