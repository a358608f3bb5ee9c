//! A scripted stream of events: wiremock has none.

use std::fmt;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role};
use yoi_protocol::{
    Control, ControlFrame, Cursor, Delta, DeltaFrame, DiagnosticFrame, Event, EventFrame, Frame,
    RuntimeId, StreamEnd, Subject, Timestamp, WorkerId,
};

use super::shared::Visit;
use crate::engine;
use crate::patience::{PATIENCE, within};

/// The time of the first event that a fake makes up; each is a second later than the one before.
const BEGINNING_MS: i64 = 1_770_019_200_000;
/// What the cursors that a fake makes up begin with.
const CURSOR: &str = "fake-";

/// Somebody who observes a Worker of a [`FakeRuntime`](super::FakeRuntime), and sees what the test
/// says.
///
/// Dropped, its connection ends without a close frame.
///
/// ```
/// use yoi_client::Call;
/// use yoi_protocol::{Event, Frame, StreamEnd, WorkerId};
/// use yoi_testkit::{FakeRuntime, fixtures};
///
/// # use std::sync::Arc;
/// # use yoi_client::Client;
/// # use yoi_protocol::Api;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let fake = FakeRuntime::start("gpu-1").await;
/// let mut observers = fake.events();
/// # let workers = Client::builder(&fake.url()).unwrap().build().unwrap().workers(Api::Runtime);
/// let id = WorkerId::parse("w-1").unwrap();
/// let watching = tokio::spawn(async move {
///     workers.events(&id, None, &Call::default()).await.unwrap()
/// });
///
/// let mut observer = observers.accept().await;
/// let mut stream = watching.await.unwrap();
/// assert_eq!(observer.cursor(), None);
/// observer.send(&fixtures::frames::snapshot()).await;
/// observer.event(10, Event::WorkerStopped { reason: None }).await;
/// observer.end(&StreamEnd::Complete).await;
///
/// # let _ = stream.next().await;
/// # }
/// ```
#[must_use = "the stream is cut when this is dropped"]
pub struct FakeEventStream {
    visit: Visit,
    socket: WebSocketStream<TcpStream>,
    worker_id: WorkerId,
    cursor: Option<Cursor>,
}

impl FakeEventStream {
    pub(super) async fn over(
        stream: TcpStream,
        visit: Visit,
        worker_id: WorkerId,
        cursor: Option<Cursor>,
    ) -> Self {
        Self {
            visit,
            socket: WebSocketStream::from_raw_socket(stream, Role::Server, None).await,
            worker_id,
            cursor,
        }
    }

    /// The Worker that is observed.
    #[must_use]
    pub fn worker_id(&self) -> &WorkerId {
        &self.worker_id
    }

    /// Where the observer goes on; `None` wants a snapshot.
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// The `seq` after which the observer goes on, where its cursor is one that
    /// [`event`](Self::event) made up.
    #[must_use]
    pub fn resumes_after(&self) -> Option<u64> {
        let cursor = self.cursor.as_ref()?;
        cursor.as_str().strip_prefix(CURSOR)?.parse().ok()
    }

    /// Says a frame, as it is: its ids are the caller's affair.
    ///
    /// # Panics
    /// When the other end is gone, as with everything that is said.
    pub async fn send(&mut self, frame: &Frame) {
        let text = serde_json::to_string(frame).expect("a frame is JSON");
        self.send_text(text).await;
    }

    /// Says a text, which need not be a frame.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.say(Message::text(text.into())).await;
    }

    /// Says bytes, which no frame ever is.
    pub async fn send_binary(&mut self, bytes: impl Into<Vec<u8>>) {
        self.say(Message::binary(bytes.into())).await;
    }

    /// Says an event of this Worker under a `seq`, with a cursor and a time that go with it.
    pub async fn event(&mut self, seq: u64, event: Event) {
        let frame = self.frame_of(seq, event);
        self.send(&frame).await;
    }

    /// Says a frame to somebody who may be gone, as after a fault; `false` when so.
    pub async fn try_send(&mut self, frame: &Frame) -> bool {
        let text = serde_json::to_string(frame).expect("a frame is JSON");
        let said = within(PATIENCE, self.socket.send(Message::text(text))).await;
        matches!(said, Ok(Ok(())))
    }

    /// Says a delta of this Worker.
    pub async fn delta(&mut self, delta: Delta) {
        let frame = Frame::Delta(DeltaFrame {
            runtime_id: None,
            worker_id: self.worker_id.clone(),
            delta,
        });
        self.send(&frame).await;
    }

    /// Says that the past is told, and that no run is active.
    pub async fn caught_up(&mut self) {
        let frame = Frame::Control(ControlFrame {
            runtime_id: None,
            control: Control::CaughtUp { in_flight: None },
        });
        self.send(&frame).await;
    }

    /// Says what an observer without a cursor is told of a Worker before its first input: the
    /// snapshot, under `seq` 1, and that this is all.
    pub async fn begin(&mut self) {
        self.event(1, self.snapshot()).await;
        self.caught_up().await;
    }

    /// The snapshot of this Worker before its first input.
    #[must_use]
    pub fn snapshot(&self) -> Event {
        let mut worker = crate::fixtures::bodies::worker_created();
        worker.runtime_id = self.runtime_id().clone();
        worker.worker_id = self.worker_id.clone();
        Event::Snapshot {
            worker: Box::new(worker),
            transcript: Vec::new(),
            first_sequence: 1,
        }
    }

    /// Pings the other end, which keeps a stream that has nothing to say.
    pub async fn ping(&mut self) {
        self.say(Message::Ping(Vec::new().into())).await;
    }

    /// Ends the stream as a Runtime does: with the diagnostic if there is one, and the close code
    /// that belongs to it.
    pub async fn end(mut self, end: &StreamEnd) {
        let about = Subject {
            runtime_id: Some(self.runtime_id().clone()),
            worker_id: Some(self.worker_id.clone()),
            request_id: None,
        };
        if let Some(diagnostic) = end.diagnostic(&about) {
            let frame = DiagnosticFrame {
                runtime_id: None,
                diagnostic,
            };
            self.send(&Frame::Diagnostic(frame)).await;
        }
        self.close(end.close_code()).await;
    }

    /// Closes with a code, and says nothing of the reason.
    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        self.say(Message::Close(Some(frame))).await;
        let Self { mut socket, .. } = self;
        // A connection that is dropped with something unread is reset, and the close frame may be
        // lost with it. The other end may only hear it once the test goes on, so nobody waits.
        let rest = async move { while let Some(Ok(_)) = socket.next().await {} };
        engine::leave(within(PATIENCE, rest));
    }

    /// Ends the connection without a close frame, as a process does that is killed.
    pub fn vanish(self) {
        drop(self);
    }

    /// Resets the connection, as a machine does that knows nothing of it.
    pub fn reset(self) {
        let stream = self.socket.get_ref();
        stream.set_zero_linger().expect("a socket can be told so");
    }

    /// Waits until the other end hangs up, and gives the close code if it says one.
    ///
    /// # Panics
    /// When it does not within 20 seconds, or sends a message: it is there to observe.
    pub async fn until_gone(mut self) -> Option<u16> {
        self.hear_the_end().await
    }

    async fn hear_the_end(&mut self) -> Option<u16> {
        let hearing = async {
            let mut code = None;
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(frame))) => code = frame.map(|frame| frame.code.into()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Text(_) | Message::Binary(_))) => {
                        panic!("the observer of {} sent a message", self.worker_id)
                    }
                    Some(Err(_)) | None => return code,
                }
            }
        };
        match within(PATIENCE, hearing).await {
            Ok(code) => code,
            Err(_elapsed) => panic!(
                "the observer of {} is still there after {PATIENCE:?}",
                self.worker_id
            ),
        }
    }

    async fn say(&mut self, message: Message) {
        match within(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("the observer of {} is gone: {error}", self.worker_id),
            Err(_elapsed) => panic!(
                "the observer of {} took nothing within {PATIENCE:?}",
                self.worker_id
            ),
        }
    }

    /// The frame of an event of this Worker, as [`event`](Self::event) says it.
    #[must_use]
    pub fn frame_of(&self, seq: u64, event: Event) -> Frame {
        Frame::Event(EventFrame {
            seq,
            cursor: cursor_of(seq),
            runtime_id: None,
            worker_id: self.worker_id.clone(),
            at: time_of(seq),
            event,
        })
    }

    fn runtime_id(&self) -> &RuntimeId {
        self.visit.shared.id()
    }
}

impl fmt::Debug for FakeEventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeEventStream")
            .field("worker_id", &self.worker_id)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

fn cursor_of(seq: u64) -> Cursor {
    Cursor::parse(&format!("{CURSOR}{seq}")).expect("it is short, and safe in a URL")
}

fn time_of(seq: u64) -> Timestamp {
    let seconds = i64::try_from(seq).unwrap_or(i64::MAX / 1000);
    Timestamp::from_unix_ms(BEGINNING_MS.saturating_add(seconds.saturating_mul(1000)))
}
