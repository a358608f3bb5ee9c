//! A help desk: it puts a question to a Worker, through a Backend, and waits for the answer.
//!
//! It stands for all that is built on yoi elsewhere, and is small enough to be read at once. What
//! it shows is in its tests: each file of `tests/desk` takes one tool of `yoi-testkit` on its first
//! day.

mod error;

use std::time::Duration;

use tokio::time::sleep;
use uuid::Uuid;
use yoi_client::{Call, Client, Workers};
use yoi_protocol::{
    Api, Cursor, Effect, Event, Frame, IdempotencyKey, InputAccepted, InputRequest, Outcome, Role,
    RunId, RuntimeId, StreamEnd, WorkerId,
};

pub use error::AskError;

/// How often a question is put whose fate is not known, and an answer listened for.
const TRIES: u32 = 3;
/// How long between two of them.
const BETWEEN: Duration = Duration::from_millis(20);

/// Asks the Workers of one Runtime.
#[derive(Debug, Clone)]
pub struct HelpDesk {
    workers: Workers,
}

impl HelpDesk {
    /// A desk in front of the Runtime `runtime_id` of the Backend that `backend` talks to.
    #[must_use]
    pub fn new(backend: &Client, runtime_id: RuntimeId) -> Self {
        Self {
            workers: backend.workers(Api::Backend(runtime_id)),
        }
    }

    /// Puts a question to a Worker, once, and waits for all of its answer.
    ///
    /// # Errors
    /// [`AskError`], which says whether the question was put.
    pub async fn ask(&self, worker_id: &WorkerId, question: &str) -> Result<String, AskError> {
        let accepted = self.put(worker_id, question).await?;
        self.answer(worker_id, accepted).await
    }

    /// Puts the question. What a moment mends was tried again on the way here already; what is left
    /// to do is not to stay in doubt.
    async fn put(&self, worker_id: &WorkerId, question: &str) -> Result<InputAccepted, AskError> {
        let question = InputRequest::new(question);
        // One key for all tries: however many arrive, the Worker hears the question once.
        let call = Call::keyed(new_key());
        let mut tries = 1;
        loop {
            let failure = match self.workers.input(worker_id, &question, &call).await {
                Ok(accepted) => return Ok(accepted.value),
                Err(error) => error.failure,
            };
            match failure.effect {
                Effect::None => return Err(AskError::NotAsked(failure)),
                Effect::Unknown if tries == TRIES => return Err(AskError::InDoubt(failure)),
                Effect::Unknown => sleep(BETWEEN).await,
            }
            tries += 1;
        }
    }

    /// Listens from where the question was taken to where its run ends. Who is cut off comes back
    /// with the last cursor and misses nothing.
    async fn answer(
        &self,
        worker_id: &WorkerId,
        accepted: InputAccepted,
    ) -> Result<String, AskError> {
        let mut heard = Heard {
            run: accepted.run_id,
            cursor: accepted.cursor,
            said: String::new(),
        };
        let mut tries = 1;
        loop {
            let end = match self.listen(worker_id, &mut heard).await {
                Ok(end) => return end.map(|()| heard.said),
                Err(end) => end,
            };
            match end {
                StreamEnd::Failed(_) | StreamEnd::SlowConsumer | StreamEnd::Draining
                    if tries < TRIES =>
                {
                    sleep(BETWEEN).await;
                }
                end => return Err(AskError::Unheard(end)),
            }
            tries += 1;
        }
    }

    /// Listens until the run ends, or else the stream.
    async fn listen(
        &self,
        worker_id: &WorkerId,
        heard: &mut Heard,
    ) -> Result<Result<(), AskError>, StreamEnd> {
        let opened = self
            .workers
            .events(worker_id, Some(&heard.cursor), &Call::default())
            .await;
        let mut frames = opened.map_err(|error| StreamEnd::Failed(error.failure))?;
        loop {
            let frame = frames.next().await?;
            // Kinds and types that a newer version says are none of our business.
            let Ok(Frame::Event(frame)) = serde_json::from_str(&frame.to_text()) else {
                continue;
            };
            heard.cursor = frame.cursor;
            if let Some(end) = heard.event(frame.event) {
                return Ok(end);
            }
        }
    }
}

/// What was heard of an answer so far.
struct Heard {
    run: RunId,
    cursor: Cursor,
    said: String,
}

impl Heard {
    /// Hears an event: a piece of the answer, its end, or something else.
    fn event(&mut self, event: Event) -> Option<Result<(), AskError>> {
        match event {
            Event::EntryAppended { entry }
                if entry.run_id == self.run && entry.role == Role::Assistant =>
            {
                self.said.push_str(&entry.content);
                None
            }
            Event::RunFinished {
                run_id,
                outcome,
                error,
            } if run_id == self.run => Some(match outcome {
                Outcome::Completed => Ok(()),
                Outcome::Cancelled => Err(AskError::Cancelled),
                Outcome::Failed => Err(AskError::Failed(error)),
            }),
            _ => None,
        }
    }
}

fn new_key() -> IdempotencyKey {
    let key = format!("desk-{}", Uuid::now_v7());
    IdempotencyKey::parse(&key).expect("a word and a UUID are visible ASCII")
}
