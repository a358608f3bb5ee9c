//! What changes nothing: extract, call the library, answer.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use yoi_http_kit::{ApiQuery, Caller, Rejection, RuntimePath, WorkerPath, reply};
use yoi_protocol::{ListQuery, TranscriptQuery};

use super::routes;
use super::state::{AppState, caller};

pub(super) async fn openapi() -> Response {
    // Most servers are never asked, so none makes it before one is.
    static DOCUMENT: LazyLock<Value> = LazyLock::new(routes::document);
    reply(StatusCode::OK, &*DOCUMENT)
}

pub(super) async fn runtimes(State(app): State<AppState>, who: Caller) -> Response {
    reply(StatusCode::OK, &app.backend.runtimes(&caller(who, None)))
}

pub(super) async fn runtime(
    State(app): State<AppState>,
    who: Caller,
    RuntimePath(runtime_id): RuntimePath,
) -> Result<Response, Rejection> {
    let detail = app.backend.runtime(&caller(who, None), &runtime_id)?;
    Ok(reply(StatusCode::OK, &detail))
}

pub(super) async fn all_workers(
    State(app): State<AppState>,
    who: Caller,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Response, Rejection> {
    let sweep = app.backend.all_workers(&caller(who, None), &query).await?;
    Ok(reply(StatusCode::OK, &sweep))
}

pub(super) async fn workers(
    State(app): State<AppState>,
    who: Caller,
    RuntimePath(runtime_id): RuntimePath,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Response, Rejection> {
    let who = caller(who, None);
    let page = app.backend.workers(&who, &runtime_id, &query).await?;
    Ok(reply(StatusCode::OK, &page))
}

pub(super) async fn worker(
    State(app): State<AppState>,
    who: Caller,
    RuntimePath(runtime_id): RuntimePath,
    WorkerPath(worker_id): WorkerPath,
) -> Result<Response, Rejection> {
    let who = caller(who, None);
    let worker = app.backend.worker(&who, &runtime_id, &worker_id).await?;
    Ok(reply(StatusCode::OK, &worker))
}

pub(super) async fn transcript(
    State(app): State<AppState>,
    who: Caller,
    RuntimePath(runtime_id): RuntimePath,
    WorkerPath(worker_id): WorkerPath,
    ApiQuery(query): ApiQuery<TranscriptQuery>,
) -> Result<Response, Rejection> {
    let page = app
        .backend
        .transcript(&caller(who, None), &runtime_id, &worker_id, &query)
        .await?;
    Ok(reply(StatusCode::OK, &page))
}
