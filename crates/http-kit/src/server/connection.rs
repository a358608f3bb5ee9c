//! One accepted socket, with everything that must last exactly as long as it does.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::progress::Progress;

/// How many sockets are open.
const OPEN: &str = "yoi_http_connections_open";

/// A socket that counts against the cap and in the drain for as long as it is open, also after
/// an upgrade has taken it out of hyper's hands, and that fails as soon as it is cut or its peer
/// takes nothing for too long.
pub(super) struct Connection<S> {
    stream: S,
    cut_read: Pin<Box<WaitForCancellationFutureOwned>>,
    cut_write: Pin<Box<WaitForCancellationFutureOwned>>,
    write_timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    heard: Arc<Heard>,
    progress: Arc<Progress>,
    _counted: OwnedSemaphorePermit,
    _tracked: TaskTrackerToken,
}

/// Whether something came that no request has accounted for yet: tells a slow head from an idle
/// connection.
#[derive(Debug, Default)]
pub(super) struct Heard(AtomicBool);

impl Heard {
    pub(super) fn answered(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_mid_head(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S> Connection<S> {
    pub(super) fn new(
        stream: S,
        cut: &CancellationToken,
        write_timeout: Duration,
        heard: Arc<Heard>,
        progress: Arc<Progress>,
        counted: OwnedSemaphorePermit,
        tracked: TaskTrackerToken,
    ) -> Self {
        metrics::gauge!(OPEN).increment(1);
        Self {
            stream,
            cut_read: Box::pin(cut.clone().cancelled_owned()),
            cut_write: Box::pin(cut.clone().cancelled_owned()),
            write_timeout,
            stalled: None,
            heard,
            progress,
            _counted: counted,
            _tracked: tracked,
        }
    }

    /// Ready with an error once the socket is cut, or has been stalled for too long.
    fn gave_up(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.cut_write.as_mut().poll(cx).is_ready() {
            return Poll::Ready(io::ErrorKind::ConnectionAborted.into());
        }
        let (timeout, progress) = (self.write_timeout, &self.progress);
        let stalled = self.stalled.get_or_insert_with(|| {
            progress.waits();
            Box::pin(sleep(timeout))
        });
        ready!(stalled.as_mut().poll(cx));
        metrics::counter!("yoi_http_connections_closed_total", "reason" => "write_timeout")
            .increment(1);
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    fn settle<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            if self.stalled.take().is_some() {
                self.progress.goes_on();
            }
            return outcome;
        }
        self.gave_up(cx).map(Err)
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        metrics::gauge!(OPEN).decrement(1);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(outcome) => {
                if buf.filled().len() > before {
                    self.heard.0.store(true, Ordering::Relaxed);
                }
                Poll::Ready(outcome)
            }
            Poll::Pending => {
                ready!(self.cut_read.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.settle(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.settle(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
