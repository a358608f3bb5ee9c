//! The accept loop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::connection::{Connection, Heard};
use super::progress::Progress;
use super::{Drain, Listener, ServeOptions};
use crate::observe::GOODBYE;

/// How long to leave the listener alone when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The most of a head, and of an answer that its peer does not take, that a connection holds.
const MAX_BUFFER_BYTES: usize = 64 * 1024;
/// How long cut sockets get to be dropped by whoever holds them.
const CUT_GRACE: Duration = Duration::from_millis(500);

pub(super) async fn serve(
    mut listener: impl Listener,
    router: Router,
    options: ServeOptions,
    drain: Drain,
) {
    let slots = Arc::new(Semaphore::new(
        options.max_connections.min(Semaphore::MAX_PERMITS),
    ));
    loop {
        let stream = tokio::select! {
            biased;
            _ = drain.closed() => break,
            accepted = accept(&mut listener, options.write_timeout) => accepted,
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            closed("connection_cap");
            continue;
        };
        let heard = Arc::new(Heard::default());
        let progress = Arc::new(Progress::default());
        let socket = Connection::new(
            stream,
            &drain.cut_token(),
            options.write_timeout,
            Arc::clone(&heard),
            Arc::clone(&progress),
            slot,
            drain.sockets().token(),
        );
        let served = connection(
            socket,
            router.clone(),
            options.header_timeout,
            heard,
            progress,
            drain.clone(),
        );
        tokio::spawn(served);
    }
    drop(listener);
    end(&drain).await;
}

/// The next connection. A fault of one connection is no fault of the listener; when the process
/// has run out of something, waiting is all that helps.
async fn accept<L: Listener>(listener: &mut L, write_timeout: Duration) -> L::Connection {
    loop {
        match listener.accept(write_timeout).await {
            Ok(connection) => return connection,
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "cannot accept a connection");
                closed("accept_failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

async fn connection(
    socket: Connection<impl AsyncRead + AsyncWrite + Send + Unpin + 'static>,
    router: Router,
    header_timeout: Duration,
    heard: Arc<Heard>,
    progress: Arc<Progress>,
    drain: Drain,
) {
    let answering = Arc::clone(&heard);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let heard = Arc::clone(&answering);
        request.extensions_mut().insert(Arc::clone(&progress));
        router
            .clone()
            .oneshot(request)
            .inspect(move |_| heard.answered())
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(MAX_BUFFER_BYTES)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let outcome = tokio::select! {
        biased;
        outcome = serving.as_mut() => outcome,
        _ = drain.closed() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = outcome
        && let Some(reason) = reason(&error, &heard)
    {
        closed(reason);
    }
}

/// Why a connection ended badly, as a metric says it; `None` when nothing is wrong with it.
fn reason(error: &hyper::Error, heard: &Heard) -> Option<&'static str> {
    if error.is_timeout() {
        heard.is_mid_head().then_some("header_timeout")
    } else if error.is_parse() {
        Some("bad_head")
    } else if error.is_incomplete_message() {
        Some("hung_up")
    } else {
        Some("io")
    }
}

fn closed(reason: &'static str) {
    metrics::counter!("yoi_http_connections_closed_total", "reason" => reason).increment(1);
}

/// Waits for the open sockets to end. Observations that have not are told to when just the time
/// for that is left, and what is left at the deadline is cut.
async fn end(drain: &Drain) {
    let deadline = drain.closed().await;
    let left = deadline.saturating_duration_since(Instant::now());
    let sockets = drain.sockets();
    sockets.close();
    if ended_by(sockets, deadline - GOODBYE.min(left / 2)).await {
        return;
    }
    drain.end_streams();
    if ended_by(sockets, deadline).await {
        return;
    }
    tracing::warn!(
        left = sockets.len(),
        "cutting the connections that did not end in time"
    );
    drain.cut();
    ended_by(sockets, Instant::now() + CUT_GRACE).await;
}

async fn ended_by(sockets: &TaskTracker, until: Instant) -> bool {
    timeout_at(until, sockets.wait()).await.is_ok()
}
