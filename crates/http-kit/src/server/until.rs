//! Serves until told to end, and ends in order.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use tokio::time::Instant;

use super::{Drain, Listener, Server};
use crate::HttpSettings;

/// What is kept of the time to end for sockets that do not end by themselves.
const LAST_MOMENT: Duration = Duration::from_millis(500);
/// How much of the time to end `end_work` gets; the rest is for those who wait for their answers
/// and observe.
const FOR_WORK: f32 = 0.75;

/// Serves `router` on `listener` until `shutdown` is ready, and returns when everything has ended,
/// at the latest `drain_timeout` later.
///
/// The end, in this order: readiness is false, by `drain`; `end_work` ends what the server serves,
/// within the time that it is given, so that observations end themselves after their last frame;
/// no connection is taken any more, what is under way is answered, observers get `draining` and
/// 1012, and what is left is cut.
pub async fn serve_until<W: Future<Output = ()>>(
    listener: impl Listener,
    router: Router,
    settings: &HttpSettings,
    drain: Drain,
    shutdown: impl Future<Output = ()>,
    end_work: impl FnOnce(Duration) -> W,
) {
    let server = Server::from_listener(listener);
    let serving = server.serve(router, settings.serve_options(), drain.clone());
    let ending = async {
        shutdown.await;
        let time = settings.drain_timeout.saturating_sub(LAST_MOMENT);
        let deadline = Instant::now() + time;
        drain.begin();
        tracing::info!("draining");
        end_work(time.mul_f32(FOR_WORK)).await;
        drain.close(deadline);
    };
    tokio::join!(serving, ending);
}
