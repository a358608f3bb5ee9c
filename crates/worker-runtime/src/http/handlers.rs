//! Extract, call the library, answer.

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use yoi_http_kit::{
    ApiJson, ApiQuery, Deadline, OptionalJson, Rejection, WorkerPath, reply, reply_created,
    reply_replayable,
};
use yoi_protocol::{
    Api, CancelRequest, Capability, CreateWorker, InputRequest, ListQuery, StopRequest,
    TranscriptQuery,
};

use super::command::{Command, refused};
use super::state::AppState;
use super::{routes, websocket};

pub(super) async fn runtime(State(app): State<AppState>) -> Response {
    let mut info = app.runtime.info();
    // How it can be observed is a matter of this server, not of the library.
    info.capabilities
        .retain(|one| *one != Capability::EVENTS_WS && *one != Capability::EVENTS_SSE);
    info.capabilities.extend(websocket::CAPABILITY);
    info.capabilities.push(Capability::EVENTS_SSE);
    reply(StatusCode::OK, &info)
}

pub(super) async fn openapi() -> Response {
    // Most servers are never asked, so none makes it before one is.
    static DOCUMENT: LazyLock<Value> = LazyLock::new(routes::document);
    reply(StatusCode::OK, &*DOCUMENT)
}

pub(super) async fn list(
    State(app): State<AppState>,
    deadline: Deadline,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Response, Rejection> {
    let page = deadline.within(app.runtime.list_workers(&query)).await?;
    Ok(reply(StatusCode::OK, &page.map_err(refused)?))
}

pub(super) async fn worker(
    State(app): State<AppState>,
    deadline: Deadline,
    WorkerPath(id): WorkerPath,
) -> Result<Response, Rejection> {
    let worker = deadline.within(app.runtime.get_worker(&id)).await?;
    Ok(reply(StatusCode::OK, &worker.map_err(refused)?))
}

pub(super) async fn create(
    State(app): State<AppState>,
    Command(context): Command,
    ApiJson(body): ApiJson<CreateWorker>,
) -> Result<Response, Rejection> {
    let named = body.worker_id.clone();
    let created = app.runtime.create_worker(body, context).await;
    let created = created.map_err(|error| match named {
        Some(id) => refused(error).about_worker(id),
        None => refused(error),
    })?;
    let location = Api::Runtime.worker(&created.value.worker_id);
    Ok(reply_created(&location, &created.value, created.replayed))
}

pub(super) async fn input(
    State(app): State<AppState>,
    WorkerPath(id): WorkerPath,
    Command(context): Command,
    ApiJson(body): ApiJson<InputRequest>,
) -> Result<Response, Rejection> {
    let accepted = app.runtime.send_input(&id, body, context).await;
    let accepted = accepted.map_err(refused)?;
    Ok(reply_replayable(
        StatusCode::ACCEPTED,
        &accepted.value,
        accepted.replayed,
    ))
}

pub(super) async fn cancel(
    State(app): State<AppState>,
    WorkerPath(id): WorkerPath,
    Command(context): Command,
    OptionalJson(body): OptionalJson<CancelRequest>,
) -> Result<Response, Rejection> {
    let cancelled = app.runtime.cancel(&id, body, context).await;
    let cancelled = cancelled.map_err(refused)?;
    Ok(reply_replayable(
        StatusCode::OK,
        &cancelled.value,
        cancelled.replayed,
    ))
}

pub(super) async fn stop(
    State(app): State<AppState>,
    WorkerPath(id): WorkerPath,
    Command(context): Command,
    OptionalJson(body): OptionalJson<StopRequest>,
) -> Result<Response, Rejection> {
    let stopped = app.runtime.stop_worker(&id, body, context).await;
    let stopped = stopped.map_err(refused)?;
    Ok(reply_replayable(
        StatusCode::OK,
        &stopped.value,
        stopped.replayed,
    ))
}

pub(super) async fn transcript(
    State(app): State<AppState>,
    WorkerPath(id): WorkerPath,
    deadline: Deadline,
    ApiQuery(query): ApiQuery<TranscriptQuery>,
) -> Result<Response, Rejection> {
    let page = deadline.within(app.runtime.transcript(&id, &query)).await?;
    Ok(reply(StatusCode::OK, &page.map_err(refused)?))
}
