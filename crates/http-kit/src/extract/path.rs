//! The ids in a path.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use yoi_protocol::{Code, RuntimeId, WorkerId};

use crate::Rejection;

/// `{worker_id}`. An id that no Worker could have is `worker_not_found`.
#[derive(Debug, Clone)]
pub struct WorkerPath(pub WorkerId);

/// `{runtime_id}`. An id that no Runtime could have is `runtime_not_found`.
#[derive(Debug, Clone)]
pub struct RuntimePath(pub RuntimeId);

impl<S: Send + Sync> FromRequestParts<S> for WorkerPath {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let found = param(parts, state, "worker_id").await;
        found
            .and_then(|text| WorkerId::parse(&text).ok())
            .map(Self)
            .ok_or_else(|| Rejection::code(Code::WorkerNotFound))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RuntimePath {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let found = param(parts, state, "runtime_id").await;
        found
            .and_then(|text| RuntimeId::parse(&text).ok())
            .map(Self)
            .ok_or_else(|| Rejection::code(Code::RuntimeNotFound))
    }
}

async fn param<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, state).await.ok()?;
    params
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}
