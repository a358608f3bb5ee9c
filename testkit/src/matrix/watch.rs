//! A watcher that reads what stands on the wire.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};
use yoi_protocol::{Control, Event, Frame, Operation};

use super::Pace;
use super::ask::worker_of;
use super::judge::{Awaits, Wrong};
use super::seen::{Closed, Watched};
use super::stage::RUNTIME;

/// What is kept of a stream that came back.
pub(super) const RESTORED: &str = "upstream_restored";

/// Somebody who watches, byte by byte where it matters: numbers, names, codes and reasons.
pub(super) struct Watch {
    socket: WebSocketStream<TcpStream>,
    /// All that was said: the head, every text, and the reason of the close.
    pub(super) said: Vec<String>,
    pub(super) wrong: Wrong,
    last_seq: Option<u64>,
    events: usize,
    unknown: usize,
    controls: Vec<String>,
    caught_up: bool,
    live: bool,
    diagnostic: Option<String>,
    end: Option<Closed>,
}

impl Watch {
    /// Opens a stream at a Backend.
    pub(super) async fn open(address: SocketAddr, path: &str) -> Result<Self, String> {
        let request = format!("ws://{address}{path}").into_client_request();
        let request = request.map_err(|error| error.to_string())?;
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|error| error.to_string())?;
        let opened = client_async(request, stream).await;
        let (socket, head) = opened.map_err(|error| format!("the upgrade was refused: {error}"))?;
        Ok(Self {
            socket,
            said: vec![format!("{:?}", head.headers())],
            wrong: Wrong::default(),
            last_seq: None,
            events: 0,
            unknown: 0,
            controls: Vec::new(),
            caught_up: false,
            live: false,
            diagnostic: None,
            end: None,
        })
    }

    /// Reads until all of the past is told; `false` when the stream ends or falls silent first.
    pub(super) async fn until_caught_up(&mut self, patience: Duration) -> bool {
        while !self.caught_up && self.end.is_none() {
            if !self.read(patience).await {
                break;
            }
        }
        self.caught_up
    }

    /// Reads until the stream ends, or has come to what is awaited and is at rest. Not for ever.
    pub(super) async fn until_over(&mut self, awaits: Awaits, pace: &Pace) {
        let most = 2 * pace.patience;
        let by = Instant::now() + most;
        let reading = async {
            while self.end.is_none() {
                let rest = match self.has_come_to(awaits) {
                    true => pace.quiet,
                    false => pace.patience,
                };
                if !self.read(rest).await {
                    break;
                }
            }
        };
        if timeout_at(by, reading).await.is_err() {
            self.wrong
                .that(format!("is not over after {most:?}, nor at rest"));
        }
    }

    fn has_come_to(&self, awaits: Awaits) -> bool {
        let is_back = || self.controls.last().is_some_and(|last| last == RESTORED);
        match awaits {
            Awaits::Life => self.live,
            Awaits::Return => self.live && is_back(),
            Awaits::End => false,
        }
    }

    /// Whether an event came whose type nobody knows, with what else it says.
    pub(super) fn saw_the_unknown(&self) -> bool {
        self.unknown == 1
    }

    /// What was seen.
    pub(super) fn watched(&self, tried: Option<usize>) -> Watched {
        Watched {
            caught_up: self.caught_up,
            events: self.events,
            controls: self.controls.clone(),
            live: self.live,
            end: self.end.clone(),
            tried,
        }
    }

    /// Reads the next message that says something; `false` when none comes.
    async fn read(&mut self, quiet: Duration) -> bool {
        let telling = async {
            loop {
                match self.socket.next().await {
                    // What only keeps the line says nothing.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    next => return next,
                }
            }
        };
        let Ok(next) = timeout(quiet, telling).await else {
            return false;
        };
        match next {
            Some(Ok(Message::Text(text))) => self.frame(text.as_str()),
            Some(Ok(Message::Close(Some(close)))) => {
                self.said.push(close.reason.to_string());
                self.close(close.code.into());
            }
            Some(Ok(Message::Close(None))) => self.close(1005),
            Some(Ok(other)) => self.wrong.that(format!("says what is no text: {other:?}")),
            Some(Err(_)) | None => self.close(1006),
        }
        true
    }

    fn close(&mut self, code: u16) {
        self.end = Some(Closed {
            code,
            diagnostic: self.diagnostic.take(),
        });
    }

    fn frame(&mut self, text: &str) {
        self.said.push(text.to_owned());
        let (value, frame) = match (serde_json::from_str(text), serde_json::from_str(text)) {
            (Ok(value), Ok(frame)) => (value, frame),
            _ => return self.wrong.that(format!("is no frame: {text}")),
        };
        self.names(&value);
        match frame {
            Frame::Event(frame) => {
                let dense = self.last_seq.is_none_or(|last| frame.seq == last + 1);
                self.wrong.unless(dense, || {
                    format!("event {} comes after {:?}", frame.seq, self.last_seq)
                });
                self.last_seq = Some(frame.seq);
                self.events += 1;
                self.live |= self.caught_up && matches!(frame.event, Event::RunFinished { .. });
                if let Event::Unknown(unknown) = frame.event {
                    self.unknown += usize::from(!unknown.fields.is_empty());
                }
            }
            Frame::Delta(_) => {}
            Frame::Control(frame) => match frame.control {
                Control::CaughtUp { .. } => {
                    self.wrong
                        .unless(!self.caught_up, || "is caught up twice".to_owned());
                    self.caught_up = true;
                }
                Control::UpstreamLost { code } => {
                    self.controls.push(format!("upstream_lost {code}"));
                }
                Control::UpstreamRestored => self.controls.push(RESTORED.to_owned()),
                Control::Unknown => self.wrong.that("says a control that nobody knows"),
            },
            Frame::Diagnostic(frame) => self.diagnostic = Some(frame.diagnostic.code),
        }
    }

    /// Holds a frame to whom it is about.
    fn names(&mut self, frame: &Value) {
        let runtime = &frame["runtime_id"];
        self.wrong.unless(*runtime == RUNTIME, || {
            format!("is about {runtime}: {frame}")
        });
        let (worker, asked) = (&frame["worker_id"], worker_of(Operation::Events));
        self.wrong
            .unless(worker.is_null() || *worker == *asked.as_str(), || {
                format!("is about {worker}: {frame}")
            });
    }
}
