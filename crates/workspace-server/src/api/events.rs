//! Observation. Whoever watches is told of faults inside the stream: a page can read neither a
//! refused upgrade nor a refused event stream.

use axum::extract::State;
use axum::response::Response;
use yoi_http_kit::{
    About, Caller, CursorParam, FrameSource, OutFrame, Rejection, ResumeFrom, RuntimePath, Upgrade,
    WorkerPath,
};
use yoi_protocol::StreamEnd;

use super::state::{AppState, caller};
use crate::observation::{Watch, WatchedFrame};

type MaybeRuntime = Result<RuntimePath, Rejection>;
type MaybeWorker = Result<WorkerPath, Rejection>;

pub(super) async fn websocket(
    State(app): State<AppState>,
    About(about): About,
    who: Caller,
    runtime: MaybeRuntime,
    worker: MaybeWorker,
    CursorParam(cursor): CursorParam,
    upgrade: Upgrade,
) -> Response {
    let settings = app.observe.clone();
    let open = open(app, who, runtime, worker, cursor);
    yoi_http_kit::websocket(upgrade, open, about, &settings)
}

pub(super) async fn sse(
    State(app): State<AppState>,
    About(about): About,
    who: Caller,
    runtime: MaybeRuntime,
    worker: MaybeWorker,
    ResumeFrom(cursor): ResumeFrom,
) -> Response {
    let settings = app.observe.clone();
    let resumed = cursor.is_some();
    let source = match open(app, who, runtime, worker, cursor).await {
        Ok(source) => source,
        Err(end) => Source::Failed(end),
    };
    yoi_http_kit::sse(source, resumed, about, &settings).await
}

async fn open(
    app: AppState,
    who: Caller,
    runtime: MaybeRuntime,
    worker: MaybeWorker,
    cursor: Option<String>,
) -> Result<Source, StreamEnd> {
    let failed = |rejection: Rejection| StreamEnd::Failed(rejection.failure().clone());
    let RuntimePath(runtime_id) = runtime.map_err(failed)?;
    let WorkerPath(worker_id) = worker.map_err(failed)?;
    let who = caller(who, None);
    let watch = app
        .backend
        .watch(&who, &runtime_id, &worker_id, cursor.as_deref())
        .await?;
    Ok(Source::Watch(Box::new(watch)))
}

/// A watch, or why there is none.
enum Source {
    Watch(Box<Watch>),
    Failed(StreamEnd),
}

impl FrameSource for Source {
    async fn next(&mut self) -> Result<OutFrame, StreamEnd> {
        match self {
            Self::Watch(watch) => watch.next().await.map(out),
            Self::Failed(end) => Err(end.clone()),
        }
    }

    fn try_next(&mut self) -> Option<Result<OutFrame, StreamEnd>> {
        match self {
            Self::Watch(watch) => watch.try_next().map(|next| next.map(out)),
            Self::Failed(end) => Some(Err(end.clone())),
        }
    }
}

fn out(frame: WatchedFrame) -> OutFrame {
    OutFrame {
        text: frame.text,
        cursor: frame.cursor,
    }
}
