//! Serves a Runtime until it is told to end, and ends in order.

use std::future::Future;

use yoi_http_kit::{Drain, HttpSettings, Listener, serve_until};

use super::router::router;
use crate::Runtime;

/// Serves `runtime` on `listener` until `shutdown` is ready, and returns when everything has
/// ended, at the latest `drain_timeout` later.
///
/// The end, in this order: readiness is false; new commands are `unavailable` while reads go on;
/// commands in flight finish and active runs end, recorded as interrupted; observers get the last
/// of that, `draining` and 1012; the connections close, and what is left is cut.
pub async fn serve(
    listener: impl Listener,
    runtime: Runtime,
    settings: HttpSettings,
    shutdown: impl Future<Output = ()> + Send,
) {
    let drain = Drain::new();
    let router = router(runtime.clone(), &settings, &drain);
    let end = async |time| runtime.drain(time).await;
    serve_until(listener, router, &settings, drain, shutdown, end).await;
}
