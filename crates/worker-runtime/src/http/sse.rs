//! Observation as server-sent events, and the way from an observation to any wire.

use axum::extract::State;
use axum::response::Response;
use yoi_http_kit::{
    About, Deadline, FrameSource, OutFrame, Rejection, ResumeFrom, WorkerPath, sse,
};
use yoi_protocol::StreamEnd;

use super::command::refused;
use super::state::AppState;
use crate::{Observation, ObservedFrame};

pub(super) async fn events(
    State(app): State<AppState>,
    About(about): About,
    deadline: Deadline,
    WorkerPath(id): WorkerPath,
    ResumeFrom(cursor): ResumeFrom,
) -> Result<Response, Rejection> {
    let observing = app.runtime.observe(&id, cursor.as_deref());
    let observation = deadline.within(observing).await?.map_err(refused)?;
    Ok(sse(observation, cursor.is_some(), about, &app.observe).await)
}

impl FrameSource for Observation {
    async fn next(&mut self) -> Result<OutFrame, StreamEnd> {
        Self::next(self).await.map(out)
    }

    fn try_next(&mut self) -> Option<Result<OutFrame, StreamEnd>> {
        Self::try_next(self).map(|next| next.map(out))
    }
}

fn out(frame: ObservedFrame) -> OutFrame {
    OutFrame {
        text: frame.text,
        cursor: frame.cursor,
    }
}
