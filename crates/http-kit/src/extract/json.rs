//! Bodies.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use yoi_protocol::{Code, Failure};

use super::{body, pointer};
use crate::Rejection;

/// A JSON body. Fields that `T` does not know are ignored; a field at fault is named by its
/// pointer.
#[derive(Debug, Clone)]
pub struct ApiJson<T>(pub T);

/// A JSON body that may be missing: nothing at all, and `null`, mean the default.
#[derive(Debug, Clone)]
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        let (headers, bytes) = body::read(request).await?;
        if !body::is_json(&headers) {
            return Err(Rejection::code(Code::UnsupportedMediaType));
        }
        object(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        let (headers, bytes) = body::read(request).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !body::is_json(&headers) {
            return Err(Rejection::code(Code::UnsupportedMediaType));
        }
        if bytes.trim_ascii() == b"null" {
            return Ok(Self(T::default()));
        }
        object(&bytes).map(Self)
    }
}

/// Bodies are objects. serde would read the fields of a struct from an array, too, by their
/// order; the contract knows no such form.
fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Failure::invalid("", "must be a JSON object").into());
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let at = error.path().clone();
        let inner = error.into_inner();
        let message = without_place(&inner);
        if inner.is_data() {
            pointer::failure(&at, &message)
        } else {
            Failure::invalid("", format!("not JSON: {message}, line {}", inner.line()))
        }
    })?;
    reader
        .end()
        .map_err(|_| Failure::invalid("", "something follows the JSON value"))?;
    Ok(value)
}

/// What is wrong, without the line and column that serde_json adds.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
