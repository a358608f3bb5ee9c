//! A watcher that reads what stands on the wire.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};
use yoi_protocol::{Control, Event, Frame};

use super::Watched;

/// Somebody who watches, byte by byte where it matters: codes and reasons of closes.
pub(super) struct Watch {
    socket: WebSocketStream<TcpStream>,
    /// Every text that came, and the reason of the close.
    pub(super) said: Vec<String>,
    controls: Vec<String>,
    caught_up: bool,
    live: bool,
    diagnostic: Option<String>,
    end: Option<(u16, Option<String>)>,
}

impl Watch {
    /// Opens a stream at a Backend.
    pub(super) async fn open(address: SocketAddr, path: &str) -> Result<Self, String> {
        let request = format!("ws://{address}{path}").into_client_request();
        let request = request.map_err(|error| error.to_string())?;
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|error| error.to_string())?;
        let opened = client_async(request, stream).await;
        let (socket, _) = opened.map_err(|error| format!("the upgrade was refused: {error}"))?;
        Ok(Self {
            socket,
            said: Vec::new(),
            controls: Vec::new(),
            caught_up: false,
            live: false,
            diagnostic: None,
            end: None,
        })
    }

    /// Reads until all of the past is told; `false` when the stream ends or falls silent first.
    pub(super) async fn until_caught_up(&mut self, quiet: Duration) -> bool {
        while !self.caught_up && self.end.is_none() {
            if !self.read(quiet).await {
                break;
            }
        }
        self.caught_up
    }

    /// Reads until a run has come to its end and nothing more comes, or the stream ends.
    pub(super) async fn until_over(&mut self, quiet: Duration) {
        while self.end.is_none() && self.read(quiet).await {}
    }

    /// What was seen.
    pub(super) fn watched(&self, tries: Option<usize>) -> Watched {
        Watched {
            controls: self.controls.clone(),
            live: self.live,
            end: self.end.clone(),
            tries,
        }
    }

    /// Reads one message; `false` when none comes.
    async fn read(&mut self, quiet: Duration) -> bool {
        let Ok(next) = timeout(quiet, self.socket.next()).await else {
            return false;
        };
        match next {
            Some(Ok(Message::Text(text))) => self.frame(text.as_str()),
            Some(Ok(Message::Close(Some(close)))) => {
                self.said.push(close.reason.to_string());
                self.end = Some((close.code.into(), self.diagnostic.take()));
            }
            Some(Ok(Message::Close(None))) => self.end = Some((1005, self.diagnostic.take())),
            Some(Ok(_ping)) => {}
            Some(Err(_)) | None => self.end = Some((1006, self.diagnostic.take())),
        }
        true
    }

    fn frame(&mut self, text: &str) {
        self.said.push(text.to_owned());
        match serde_json::from_str::<Frame>(text) {
            Ok(Frame::Event(frame)) => {
                self.live |= self.caught_up && matches!(frame.event, Event::RunFinished { .. });
            }
            Ok(Frame::Delta(_)) => {}
            Ok(Frame::Control(frame)) => match frame.control {
                Control::CaughtUp { .. } => self.caught_up = true,
                Control::UpstreamLost { code } => {
                    self.controls.push(format!("upstream_lost {code}"));
                }
                Control::UpstreamRestored => self.controls.push("upstream_restored".to_owned()),
                Control::Unknown => self
                    .controls
                    .push("a control of a newer version".to_owned()),
            },
            Ok(Frame::Diagnostic(frame)) => self.diagnostic = Some(frame.diagnostic.code),
            Err(_) => self.controls.push("no frame".to_owned()),
        }
    }
}
