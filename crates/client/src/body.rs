//! Reading a body: under a cap first, parsed afterwards.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};
use yoi_protocol::Failure;

use crate::classify;
use crate::transport::Response;

/// How a body is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// The most bytes.
    pub(crate) cap: usize,
    /// The longest time between two pieces.
    pub(crate) stall: Duration,
    /// All of it must be there by then.
    pub(crate) by: Instant,
}

/// A body, whole or cut at the cap.
pub(crate) enum Body {
    Whole(Bytes),
    OverCap,
}

/// Reads a body. What is over the cap is not read, and costs the connection.
pub(crate) async fn read(mut response: Response, how: Reading) -> Result<Body, Failure> {
    let mut whole = BytesMut::new();
    loop {
        let next_by = how.by.min(Instant::now() + how.stall);
        match timeout_at(next_by, response.body.next()).await {
            Err(_elapsed) => return Err(classify::body_stalled()),
            Ok(None) => return Ok(Body::Whole(whole.freeze())),
            Ok(Some(Err(fault))) => return Err(classify::transport(fault)),
            Ok(Some(Ok(piece))) if whole.len() + piece.len() > how.cap => return Ok(Body::OverCap),
            Ok(Some(Ok(piece))) => whole.extend_from_slice(&piece),
        }
    }
}
