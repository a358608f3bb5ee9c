//! The request for a WebSocket, and the socket that it becomes.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::Response;
use http::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{Method, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use yoi_protocol::{Code, Failure};

use crate::Rejection;
use crate::once::once;
use crate::server::Progress;

/// What an observer may say at once, in bytes: it is to say nothing, so this is little, but enough
/// for it to be told so when it does.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Every observer has this buffer all the time, and what it says is control frames.
const READ_BUFFER_BYTES: usize = 512;
/// Written out from here on. A batch is flushed as a whole, so that no more than this and a
/// fragment is ever buffered.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

/// A WebSocket on this server.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A request that asks to become a WebSocket. One that does not is `upgrade_required`, one that
/// asks in a broken way `invalid_request`.
#[derive(Debug)]
pub struct Upgrade {
    upgrading: OnUpgrade,
    accept: HeaderValue,
    /// How the writing goes on the connection that it came on, where the server tells.
    pub(super) progress: Arc<Progress>,
}

impl Upgrade {
    /// Takes the upgrade, and serves the socket in a task of its own.
    pub(super) fn accept<F>(self, serve: impl FnOnce(Socket) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let upgrading = self.upgrading;
        tokio::spawn(async move {
            // A peer that left before it was upgraded is not missed.
            let Ok(upgraded) = upgrading.await else {
                return;
            };
            let config = WebSocketConfig::default()
                .max_message_size(Some(MAX_MESSAGE_BYTES))
                .max_frame_size(Some(MAX_MESSAGE_BYTES))
                .read_buffer_size(READ_BUFFER_BYTES)
                .write_buffer_size(WRITE_BUFFER_BYTES);
            let upgraded = TokioIo::new(upgraded);
            serve(Socket::from_raw_socket(upgraded, Role::Server, Some(config)).await).await;
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept);
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        if !says(&parts.headers, UPGRADE, "websocket") {
            return Err(Rejection::code(Code::UpgradeRequired));
        }
        let (upgrading, accept) = handshake(parts)
            .ok_or_else(|| Failure::invalid("/upgrade", "not a WebSocket handshake, version 13"))?;
        Ok(Self {
            upgrading,
            accept,
            progress: parts.extensions.get().cloned().unwrap_or_default(),
        })
    }
}

/// The connection to take over, and the answer to the key, where the request is a handshake as
/// RFC 6455, 4.2.1 has it.
fn handshake(parts: &mut Parts) -> Option<(OnUpgrade, HeaderValue)> {
    let headers = &parts.headers;
    let version = once(headers, SEC_WEBSOCKET_VERSION).ok()??;
    if parts.method != Method::GET || !says(headers, CONNECTION, "upgrade") || version != "13" {
        return None;
    }
    let key = once(headers, SEC_WEBSOCKET_KEY).ok()??;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()?;
    Some((parts.extensions.remove()?, accept))
}

/// Whether a header that lists tokens has this one.
fn says(headers: &HeaderMap, name: http::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case(token))
}
