//! What a time-out is called, by how far the request had come.

use std::convert::Infallible;
use std::future::{Ready, pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Body;
use tower::{Layer, Service};

use super::{Progress, WatchConnect, WatchedBody};
use crate::transport::TransportFault;

/// A connector that connects at once, or never.
struct Connector {
    stands: bool,
}

impl Service<()> for Connector {
    type Response = ();
    type Error = Infallible;
    type Future = futures_util::future::Either<Ready<Result<(), Infallible>>, Never>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        if self.stands {
            futures_util::future::Either::Left(ready(Ok(())))
        } else {
            futures_util::future::Either::Right(pending())
        }
    }
}

type Never = std::future::Pending<Result<(), Infallible>>;

/// A request that connects, polled once.
fn connect(progress: &Arc<Progress>, stands: bool) {
    let mut connector = WatchConnect.layer(Connector { stands });
    let request = progress.watch(async move { connector.call(()).await });
    let _ = pin!(request).poll(&mut Context::from_waker(Waker::noop()));
}

fn take(body: WatchedBody) {
    let mut body = pin!(body);
    let _ = body
        .as_mut()
        .poll_frame(&mut Context::from_waker(Waker::noop()));
    assert!(body.is_end_stream());
}

#[test]
fn before_anything_it_is_the_head() {
    let progress = Arc::new(Progress::default());
    assert_eq!(progress.timed_out(), TransportFault::HeadTimedOut);
}

#[test]
fn while_connecting_it_is_the_connect() {
    let progress = Arc::new(Progress::default());
    connect(&progress, false);
    assert_eq!(progress.timed_out(), TransportFault::ConnectTimedOut);
}

#[test]
fn once_connected_it_is_the_head() {
    let progress = Arc::new(Progress::default());
    connect(&progress, true);
    assert_eq!(progress.timed_out(), TransportFault::HeadTimedOut);
}

#[test]
fn a_body_that_was_taken_may_have_arrived_whatever_else_is_connecting() {
    let progress = Arc::new(Progress::default());
    connect(&progress, false);
    take(WatchedBody::new(
        Bytes::from_static(b"{}"),
        Arc::clone(&progress),
    ));
    assert_eq!(progress.timed_out(), TransportFault::HeadTimedOut);
}

#[test]
fn a_body_says_how_long_it_is() {
    let body = WatchedBody::new(Bytes::from_static(b"{}"), Arc::new(Progress::default()));
    assert_eq!(body.size_hint().exact(), Some(2));
    assert!(!body.is_end_stream());
}
