//! Serves a Backend until it is told to end, and ends in order.

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;
use yoi_http_kit::{Drain, ServeOptions, Server};

use super::router::router;
use super::settings::HttpSettings;
use crate::Backend;

/// What is kept of the time to end for sockets that do not end by themselves.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// Serves `backend` on `listener` until `shutdown` is ready, and returns when everything has
/// ended, at the latest `drain_timeout` later.
///
/// The end, in this order: readiness is false; new commands are `unavailable` while reads go on;
/// commands in flight finish and the Runtimes inside are drained; observers get `draining` and
/// 1012; the connections close, and what is left is cut.
pub async fn serve(
    listener: TcpListener,
    backend: Backend,
    settings: HttpSettings,
    shutdown: impl Future<Output = ()> + Send,
) {
    let drain = Drain::new();
    let router = router(backend.clone(), &settings, &drain);
    let options = ServeOptions {
        header_timeout: settings.header_timeout,
        write_timeout: settings.write_timeout,
        max_connections: settings.max_connections,
    };
    let serving = Server::from_listener(listener).serve(router, options, drain.clone());
    let ending = async {
        shutdown.await;
        let deadline = Instant::now() + settings.drain_timeout.saturating_sub(LAST_MOMENT);
        drain.begin();
        tracing::info!("draining");
        // Three quarters for commands and runs, the rest for those who wait for their answers.
        backend.drain(settings.drain_timeout.mul_f32(0.75)).await;
        drain.close(deadline);
    };
    tokio::join!(serving, ending);
}
