//! The request for a WebSocket.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use http::header::UPGRADE;
use http::request::Parts;
use yoi_protocol::{Code, Failure};

use crate::Rejection;
use crate::server::Progress;

/// What an observer may say at once, in bytes: it is to say nothing, so this is little, but enough
/// for it to be told so when it does.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Every observer has this buffer all the time, and what it says is control frames.
const READ_BUFFER_BYTES: usize = 512;
/// Written out from here on. The buffer never shrinks, so this is what an idle observer goes on
/// costing, or the longest frame that it ever got.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;
/// A frame over this breaks the connection rather than the memory.
const MAX_WRITE_BUFFER_BYTES: usize = 64 * 1024 * 1024;

/// A request that asks to become a WebSocket. One that does not is `upgrade_required`, one that
/// asks in a broken way `invalid_request`.
#[derive(Debug)]
pub struct Upgrade {
    pub(super) handshake: WebSocketUpgrade,
    /// How the writing goes on the connection that it came on, where the server tells.
    pub(super) progress: Arc<Progress>,
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let asks = parts
            .headers
            .get(UPGRADE)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
        if !asks {
            return Err(Rejection::code(Code::UpgradeRequired));
        }
        let handshake = WebSocketUpgrade::from_request_parts(parts, state)
            .await
            .map_err(|_| Failure::invalid("/upgrade", "not a WebSocket handshake, version 13"))?;
        let progress = parts.extensions.get().cloned().unwrap_or_default();
        Ok(Self {
            handshake: handshake
                .max_message_size(MAX_MESSAGE_BYTES)
                .max_frame_size(MAX_MESSAGE_BYTES)
                .read_buffer_size(READ_BUFFER_BYTES)
                .write_buffer_size(WRITE_BUFFER_BYTES)
                .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES),
            progress,
        })
    }
}
