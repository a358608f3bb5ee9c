//! Observation. Whoever watches is told of faults inside the stream: a page can read neither a
//! refused upgrade nor a refused event stream.

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use tokio::time::timeout;
use yoi_http_kit::{
    About, Caller, CursorParam, FrameSource, OutFrame, Rejection, ResumeFrom, RuntimePath, Upgrade,
    WorkerPath,
};
use yoi_protocol::StreamEnd;

use super::state::{AppState, caller};
use crate::observation::{Watch, WatchedFrame};

/// How long an event stream that comes back waits to hear whether its Worker is stopped, before it
/// is told that it is caught up. A remote Runtime says the one in the same breath as the other.
const SAME_BREATH: Duration = Duration::from_millis(250);

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
        Ok(mut source) => {
            if resumed {
                source.look_ahead().await;
            }
            source
        }
        Err(end) => Source::failed(end),
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
    Ok(Source {
        ahead: VecDeque::new(),
        watch: Some(Box::new(watch)),
    })
}

/// A watch, and what was read of it ahead; or why there is none.
struct Source {
    ahead: VecDeque<Result<WatchedFrame, StreamEnd>>,
    watch: Option<Box<Watch>>,
}

impl Source {
    fn failed(end: StreamEnd) -> Self {
        Self {
            ahead: VecDeque::from([Err(end)]),
            watch: None,
        }
    }

    /// Reads far enough to tell whether nothing was missed and nothing can follow: that is
    /// answered 204, so that a browser does not come back for ever.
    async fn look_ahead(&mut self) {
        let Some(watch) = &mut self.watch else {
            return;
        };
        let first = watch.next().await;
        let missed_nothing = first.as_ref().is_ok_and(|frame| frame.cursor.is_none());
        self.ahead.push_back(first);
        if missed_nothing && let Ok(next) = timeout(SAME_BREATH, watch.next()).await {
            self.ahead.push_back(next);
        }
    }
}

impl FrameSource for Source {
    async fn next(&mut self) -> Result<OutFrame, StreamEnd> {
        if let Some(next) = self.ahead.pop_front() {
            return next.map(out);
        }
        match &mut self.watch {
            Some(watch) => watch.next().await.map(out),
            None => Err(StreamEnd::Draining),
        }
    }

    fn try_next(&mut self) -> Option<Result<OutFrame, StreamEnd>> {
        let next = match self.ahead.pop_front() {
            Some(next) => Some(next),
            None => self.watch.as_mut()?.try_next(),
        };
        next.map(|next| next.map(out))
    }
}

fn out(frame: WatchedFrame) -> OutFrame {
    OutFrame {
        text: frame.text,
        cursor: frame.cursor,
    }
}
