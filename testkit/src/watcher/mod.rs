//! Watching a Worker in a test that ends.

mod source;

use std::fmt;

use yoi_protocol::{
    Control, Cursor, Delta, Event, EventFrame, Frame, InFlight, RawFrame, StreamEnd,
};

use crate::patience::{PATIENCE, within};
pub use source::FrameSource;

/// How much of the last frame a panic shows.
const SHOWN: usize = 500;

/// An observer that remembers what it saw.
///
/// Each wait ends: when nothing comes for 20 seconds, or something else than was waited for, the
/// test fails and is told what came. It watches a Worker over the wire, or an
/// [`Observation`](worker_runtime::Observation) of the library.
///
/// ```
/// use worker_runtime::{CommandContext, Runtime};
/// use yoi_protocol::{CreateWorker, Event, InputRequest, RuntimeId};
/// use yoi_testkit::Watcher;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = Runtime::builder(RuntimeId::parse("local").unwrap()).start().await.unwrap();
/// let plain = CommandContext::default;
/// let worker = runtime.create_worker(CreateWorker::default(), plain()).await.unwrap().value;
///
/// let mut watcher = Watcher::of(runtime.observe(&worker.worker_id, None).await.unwrap());
/// watcher.until_caught_up().await;
/// runtime.send_input(&worker.worker_id, InputRequest::new("hi"), plain()).await.unwrap();
/// let finished = watcher.until_event("run_finished").await;
/// assert!(matches!(finished.event, Event::RunFinished { .. }));
/// assert_eq!(watcher.types().first(), Some(&"snapshot"));
/// # }
/// ```
#[must_use = "what is not asked for is not seen"]
pub struct Watcher {
    source: Box<dyn FrameSource>,
    seen: Vec<Frame>,
    end: Option<StreamEnd>,
}

impl Watcher {
    /// Watches what `source` gives.
    pub fn of(source: impl FrameSource + 'static) -> Self {
        Self {
            source: Box::new(source),
            seen: Vec::new(),
            end: None,
        }
    }

    /// The next frame, or how the stream ended.
    ///
    /// # Errors
    /// The end, the same again on every further call.
    ///
    /// # Panics
    /// When nothing comes within 20 seconds, or what comes is no frame of the contract.
    pub async fn next(&mut self) -> Result<Frame, StreamEnd> {
        let Ok(next) = within(PATIENCE, self.source.next_text()).await else {
            panic!("nothing came within {PATIENCE:?}; {}", self.shown());
        };
        match next {
            Ok(text) => {
                let frame = parsed(&text);
                self.seen.push(frame.clone());
                Ok(frame)
            }
            Err(end) => {
                self.end = Some(end.clone());
                Err(end)
            }
        }
    }

    /// The next frame.
    ///
    /// # Panics
    /// As [`next`](Self::next), and when the stream ends.
    pub async fn next_frame(&mut self) -> Frame {
        match self.next().await {
            Ok(frame) => frame,
            Err(_end) => panic!("a frame was waited for; {}", self.shown()),
        }
    }

    /// The next durable event, past whatever else comes.
    ///
    /// # Panics
    /// As [`next_frame`](Self::next_frame).
    pub async fn next_event(&mut self) -> EventFrame {
        loop {
            if let Frame::Event(event) = self.next_frame().await {
                return event;
            }
        }
    }

    /// Reads until a frame that is `wanted`; `what` names it in the panic.
    ///
    /// # Panics
    /// As [`next_frame`](Self::next_frame).
    pub async fn until(&mut self, what: &str, mut wanted: impl FnMut(&Frame) -> bool) -> Frame {
        loop {
            match self.next().await {
                Ok(frame) if wanted(&frame) => return frame,
                Ok(_other) => {}
                Err(_end) => panic!("{what} was waited for; {}", self.shown()),
            }
        }
    }

    /// Reads until an event of this type, by its name on the wire.
    ///
    /// # Panics
    /// As [`next_frame`](Self::next_frame).
    pub async fn until_event(&mut self, wanted: &str) -> EventFrame {
        loop {
            match self.next().await {
                Ok(Frame::Event(event)) if event.event.type_name() == wanted => return event,
                Ok(_other) => {}
                Err(_end) => panic!("{wanted} was waited for; {}", self.shown()),
            }
        }
    }

    /// Reads until all of the past is told, and gives what was being said at that moment.
    ///
    /// A Backend opens a stream before it has begun to observe. What is done before this returns
    /// may be told in the snapshot; what is done afterwards comes as events.
    ///
    /// # Panics
    /// As [`next_frame`](Self::next_frame).
    pub async fn until_caught_up(&mut self) -> Option<InFlight> {
        loop {
            match self.next().await {
                Ok(Frame::Control(frame)) => {
                    if let Control::CaughtUp { in_flight } = frame.control {
                        return in_flight;
                    }
                }
                Ok(_other) => {}
                Err(_end) => panic!("caught_up was waited for; {}", self.shown()),
            }
        }
    }

    /// Reads to the end, and says how it ended.
    ///
    /// # Panics
    /// When the stream goes on and nothing comes.
    pub async fn end(&mut self) -> StreamEnd {
        loop {
            if let Err(end) = self.next().await {
                return end;
            }
        }
    }

    /// Every frame so far.
    #[must_use]
    pub fn seen(&self) -> &[Frame] {
        &self.seen
    }

    /// Every durable event so far.
    #[must_use]
    pub fn events(&self) -> Vec<&EventFrame> {
        let seen = self.seen.iter();
        seen.filter_map(|frame| match frame {
            Frame::Event(event) => Some(event),
            Frame::Delta(_) | Frame::Control(_) | Frame::Diagnostic(_) => None,
        })
        .collect()
    }

    /// The types of all events so far, by their names on the wire.
    #[must_use]
    pub fn types(&self) -> Vec<&str> {
        let events = self.events().into_iter();
        events.map(|frame| frame.event.type_name()).collect()
    }

    /// Where to resume after all that came so far; `None` before the first event.
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        self.events().last().map(|frame| &frame.cursor)
    }

    /// What the active run has said since its last entry: what was told when the past was, and
    /// the pieces since.
    ///
    /// # Panics
    /// When the pieces do not join: one is missing, or came twice.
    #[must_use]
    pub fn text_since_entry(&self) -> String {
        let mut said = String::new();
        for frame in &self.seen {
            match frame {
                Frame::Delta(frame) => {
                    if let Delta::Text { offset, text, .. } = &frame.delta {
                        let so_far = said.len() as u64;
                        assert_eq!(*offset, so_far, "{text:?} does not join {said:?}");
                        said.push_str(text);
                    }
                }
                Frame::Control(frame) => {
                    if let Control::CaughtUp { in_flight } = &frame.control {
                        said.clear();
                        if let Some(in_flight) = in_flight {
                            said.push_str(&in_flight.text);
                        }
                    }
                }
                Frame::Event(frame) => {
                    if matches!(frame.event, Event::EntryAppended { .. }) {
                        said.clear();
                    }
                }
                Frame::Diagnostic(_) => {}
            }
        }
        said
    }

    /// Goes away without a word, as a browser does whose tab is closed.
    pub fn hang_up(self) {}

    /// What came, short enough to be read when a test fails.
    fn shown(&self) -> String {
        let last: String = format!("{:?}", self.seen.last())
            .chars()
            .take(SHOWN)
            .collect();
        let how = match &self.end {
            Some(end) => format!("the stream ended with {end:?}"),
            None => "the stream is open".to_owned(),
        };
        format!(
            "{how} after the events {:?}; the last frame was {last}",
            self.types()
        )
    }
}

fn parsed(text: &str) -> Frame {
    if let Err(error) = RawFrame::parse(text) {
        panic!("a frame without a valid envelope ({error}): {text}");
    }
    serde_json::from_str(text)
        .unwrap_or_else(|error| panic!("a frame that does not parse ({error}): {text}"))
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher")
            .field("seen", &self.seen.len())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
