//! What changes something: extract, call the library, answer.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use yoi_http_kit::{
    ApiJson, Caller, Key, OptionalJson, Rejection, RuntimePath, WorkerPath, reply_created,
    reply_replayable,
};
use yoi_protocol::{Api, CancelRequest, CreateWorker, InputRequest, StopRequest};

use super::state::{AppState, caller};

pub(super) async fn create(
    State(app): State<AppState>,
    who: Caller,
    Key(key): Key,
    RuntimePath(runtime_id): RuntimePath,
    ApiJson(body): ApiJson<CreateWorker>,
) -> Result<Response, Rejection> {
    let named = body.worker_id.clone();
    let created = app
        .backend
        .create_worker(caller(who, key), &runtime_id, body)
        .await
        .map_err(|failure| match named {
            Some(worker_id) => Rejection::new(failure).about_worker(worker_id),
            None => Rejection::new(failure),
        })?;
    let location = Api::Backend(runtime_id).worker(&created.value.worker_id);
    Ok(reply_created(&location, &created.value, created.replayed))
}

pub(super) async fn input(
    State(app): State<AppState>,
    who: Caller,
    Key(key): Key,
    RuntimePath(runtime_id): RuntimePath,
    WorkerPath(worker_id): WorkerPath,
    ApiJson(body): ApiJson<InputRequest>,
) -> Result<Response, Rejection> {
    let accepted = app
        .backend
        .send_input(caller(who, key), &runtime_id, &worker_id, body)
        .await?;
    let (value, replayed) = (accepted.value, accepted.replayed);
    Ok(reply_replayable(StatusCode::ACCEPTED, &value, replayed))
}

pub(super) async fn cancel(
    State(app): State<AppState>,
    who: Caller,
    Key(key): Key,
    RuntimePath(runtime_id): RuntimePath,
    WorkerPath(worker_id): WorkerPath,
    OptionalJson(body): OptionalJson<CancelRequest>,
) -> Result<Response, Rejection> {
    let cancelled = app
        .backend
        .cancel(caller(who, key), &runtime_id, &worker_id, body)
        .await?;
    let (value, replayed) = (cancelled.value, cancelled.replayed);
    Ok(reply_replayable(StatusCode::OK, &value, replayed))
}

pub(super) async fn stop(
    State(app): State<AppState>,
    who: Caller,
    Key(key): Key,
    RuntimePath(runtime_id): RuntimePath,
    WorkerPath(worker_id): WorkerPath,
    OptionalJson(body): OptionalJson<StopRequest>,
) -> Result<Response, Rejection> {
    let stopped = app
        .backend
        .stop(caller(who, key), &runtime_id, &worker_id, body)
        .await?;
    let (value, replayed) = (stopped.value, stopped.replayed);
    Ok(reply_replayable(StatusCode::OK, &value, replayed))
}
