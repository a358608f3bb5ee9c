//! Opening an event stream.

use std::pin::Pin;

use http::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::FrameStream;
use super::stream::Watching;
use crate::ask::Ask;
use crate::attempts::Attempts;
use crate::classify::{self, Refusal, Verdict};
use crate::head::{boot_id, head_of};
use crate::transport::{Socket, Upgrade};
use crate::{Call, CallError, Client, Perspective};

impl Client {
    /// Opens an event stream, over as many attempts as it takes and may take.
    pub(crate) async fn observe(&self, ask: &Ask, call: &Call) -> Result<FrameStream, CallError> {
        let mut attempts = Attempts::new(self, ask, call);
        loop {
            // Boxed: the handshake is long, and the caller's future need not be.
            let opening: Pin<Box<dyn Future<Output = _> + Send + '_>> =
                Box::pin(self.open(&mut attempts));
            match opening.await {
                Ok(stream) => return Ok(stream),
                Err(refusal) => attempts.after(refusal).await?,
            }
        }
    }

    async fn open(&self, attempts: &mut Attempts<'_>) -> Result<FrameStream, Refusal> {
        let key = generate_key();
        let request = attempts.request(handshake(&key)).await?;
        let opened = self
            .inner
            .transport
            .upgrade(request)
            .await
            .map_err(classify::transport)?;
        let (headers, socket) = match opened {
            Upgrade::Opened { headers, socket } => (headers, socket),
            Upgrade::Refused(response) => {
                attempts.judge(response).await?;
                // A success, but not the one that was asked for.
                return Err(classify::garbled().into());
            }
        };
        // 101 names its source as every success does.
        let as_success = head_of(200, &headers);
        if let Verdict::Failed(failure) = classify::head(&attempts.view(), &as_success) {
            return Err(failure.into());
        }
        let accepted = headers
            .get(SEC_WEBSOCKET_ACCEPT)
            .is_some_and(|value| value.as_bytes() == derive_accept_key(key.as_bytes()).as_bytes());
        if !accepted {
            return Err(classify::garbled().into());
        }
        Ok(self.watch(socket, &headers).await)
    }

    async fn watch(&self, socket: Socket, headers: &HeaderMap) -> FrameStream {
        let cap = self.caps().frame_bytes;
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(0)
            .max_write_buffer_size(64 * 1024)
            .max_message_size(Some(cap))
            .max_frame_size(Some(cap));
        let socket =
            WebSocketStream::from_raw_socket(socket.into_inner(), Role::Client, Some(config)).await;
        let settings = &self.inner.settings;
        FrameStream::new(
            socket,
            Watching {
                link: settings.perspective == Perspective::Link,
                idle: settings.idle,
                boot_id: boot_id(headers),
            },
        )
    }
}

fn handshake(key: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    if let Ok(key) = HeaderValue::from_str(key) {
        headers.insert(SEC_WEBSOCKET_KEY, key);
    }
    headers
}
