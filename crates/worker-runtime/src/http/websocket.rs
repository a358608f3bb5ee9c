//! Observation over a WebSocket.

use std::future::ready;

use axum::extract::State;
use axum::response::Response;
use yoi_http_kit::{About, CursorParam, Deadline, Rejection, Upgrade, WorkerPath, websocket};
use yoi_protocol::Capability;

use super::command::refused;
use super::state::AppState;

/// What the server can do because of this module.
pub(super) const CAPABILITY: Option<Capability> = Some(Capability::EVENTS_WS);

pub(super) async fn events(
    State(app): State<AppState>,
    About(about): About,
    deadline: Deadline,
    WorkerPath(id): WorkerPath,
    CursorParam(cursor): CursorParam,
    upgrade: Upgrade,
) -> Result<Response, Rejection> {
    let observing = app.runtime.observe(&id, cursor.as_deref());
    let observation = deadline.within(observing).await?.map_err(refused)?;
    Ok(websocket(
        upgrade,
        ready(Ok(observation)),
        about,
        &app.observe,
    ))
}
