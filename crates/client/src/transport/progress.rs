//! How far a request had come when its time ran out.
//!
//! The difference decides whether a command may be sent again: while its connection is being
//! made, and no byte of its body was asked for, it certainly was not sent. reqwest does not say
//! it, so two places are watched: the connector, and the body.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service};

use super::TransportFault;

tokio::task_local! {
    static CURRENT: Arc<Progress>;
}

/// How far one request has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    connecting: AtomicBool,
    body_taken: AtomicBool,
}

impl Progress {
    /// Runs a request under this progress.
    pub(super) async fn watch<F: Future>(self: &Arc<Self>, request: F) -> F::Output {
        CURRENT.scope(Arc::clone(self), request).await
    }

    /// What to call it when the time is over.
    ///
    /// A pooled connection that becomes free first may carry the request while the new connection
    /// is still being made, so a body that was taken settles it. Requests without a body are reads,
    /// of which nobody asks what they changed.
    pub(super) fn timed_out(&self) -> TransportFault {
        if self.connecting.load(Ordering::Acquire) && !self.body_taken.load(Ordering::Acquire) {
            TransportFault::ConnectTimedOut
        } else {
            TransportFault::HeadTimedOut
        }
    }
}

/// Watches the connector: reqwest polls it within the request that needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct WatchConnect;

impl<S> Layer<S> for WatchConnect {
    type Service = WatchedConnect<S>;

    fn layer(&self, inner: S) -> WatchedConnect<S> {
        WatchedConnect { inner }
    }
}

/// A connector that notes when it is at work.
#[derive(Debug, Clone)]
pub(super) struct WatchedConnect<S> {
    inner: S,
}

impl<S, R> Service<R> for WatchedConnect<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.inner.call(request);
        Box::pin(async move {
            let progress = CURRENT.try_with(Arc::clone).ok();
            if let Some(progress) = &progress {
                progress.connecting.store(true, Ordering::Release);
            }
            let connected = connecting.await;
            if let Some(progress) = &progress {
                progress.connecting.store(false, Ordering::Release);
            }
            connected
        })
    }
}

/// A body of one piece that notes when it is taken for sending.
pub(super) struct WatchedBody {
    piece: Option<Bytes>,
    progress: Arc<Progress>,
}

impl WatchedBody {
    pub(super) fn new(piece: Bytes, progress: Arc<Progress>) -> Self {
        Self {
            piece: Some(piece),
            progress,
        }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.progress.body_taken.store(true, Ordering::Release);
        Poll::Ready(self.piece.take().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.piece.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.piece.as_ref().map_or(0, |piece| piece.len() as u64))
    }
}

#[cfg(test)]
mod tests;
