//! Whoever comes to observe, and is not let in yet.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use yoi_protocol::{Code, Cursor, Failure, Operation, Problem, WorkerId};

use super::Received;
use super::answer::{self, Answer};
use super::events::FakeEventStream;
use super::shared::{Door, Shared, Visit};
use super::unexpected::locked;
use crate::fixtures::problems;
use crate::link::head::Head;
use crate::patience::{PATIENCE, within};

/// Those who come to observe a Worker of a [`FakeRuntime`](super::FakeRuntime), one after another.
///
/// While it is held, nobody is let in but by the test. When it is dropped, each who came and was
/// not taken **fails the test**; only who came after one that was let in or refused is gone does
/// not, for a Backend that loses the stream of a Worker comes back.
///
/// ```
/// use yoi_protocol::Code;
/// use yoi_testkit::{FakeRuntime, TestBackend};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let fake = FakeRuntime::start("gpu-1").await;
/// let backend = TestBackend::builder().fake(&fake).start().await;
/// let mut observers = fake.events();
/// let mut watcher = backend.browser().watch("gpu-1", "w-1").await;
///
/// let knock = observers.next().await;
/// assert_eq!(knock.worker_id().as_str(), "w-1");
/// knock.refuse(Code::WorkerNotFound).await;
/// watcher.end().await;
/// # }
/// ```
#[must_use = "who is not taken from here fails the test"]
pub struct FakeEvents {
    shared: Arc<Shared>,
    arrived: mpsc::UnboundedReceiver<PendingUpgrade>,
}

/// Somebody who asks to observe, and waits at the door.
///
/// Dropped, the connection is closed without an answer.
#[must_use = "who is neither let in nor refused sees the connection close"]
pub struct PendingUpgrade {
    visit: Visit,
    asked: Received,
    head: Head,
    stream: TcpStream,
    /// Whether one who came for the same Worker is gone.
    comes_back: bool,
}

/// Somebody asks for an upgrade.
pub(super) async fn arrive(stream: TcpStream, head: Head, shared: &Arc<Shared>) -> io::Result<()> {
    let asked = Received::of_head(&head);
    if let Some(refusal) = shared.gate.answer(&asked) {
        shared.unexpected.refused(asked);
        return say(stream, refusal).await;
    }
    {
        // Whoever comes as the door is shut is either in before, and told of as it is shut, or
        // finds it shut.
        let door = locked(&shared.door);
        let comes_back = door.gone.contains(asked.path());
        match &door.to {
            Some(to) if asked.operation() == Some(Operation::Events) => {
                let visit = Visit {
                    shared: shared.clone(),
                    path: asked.path().to_owned(),
                };
                let knock = PendingUpgrade {
                    visit,
                    asked,
                    head,
                    stream,
                    comes_back,
                };
                to.send(knock).expect("an open door has somebody behind it");
                return Ok(());
            }
            _ if !comes_back => shared.unexpected.came(asked),
            _ => {}
        }
    }
    say(stream, answer::unexpected()).await
}

/// Somebody asks for a WebSocket, and the upgrade was lost on the way: told so as any Runtime does,
/// if observers are expected at all. Gives the connection back where they are not.
pub(super) async fn stripped(
    stream: TcpStream,
    head: &Head,
    shared: &Shared,
) -> io::Result<Option<TcpStream>> {
    let asked = Received::of_head(head);
    let meant = asked.operation() == Some(Operation::Events) && asked.path().ends_with("/ws");
    if !meant || locked(&shared.door).to.is_none() || shared.gate.answer(&asked).is_some() {
        return Ok(Some(stream));
    }
    let (id, operation) = (shared.id(), Some(Operation::Events));
    let failure = problems::failure(Code::UpgradeRequired, operation);
    let problem = answer::told(failure, id, None, operation, &asked);
    say(stream, Answer::problem(&problem).to(&asked).named_by(id)).await?;
    Ok(None)
}

async fn say(mut stream: TcpStream, answer: Answer) -> io::Result<()> {
    stream.write_all(&answer.into_bytes()).await?;
    stream.shutdown().await
}

impl FakeEvents {
    pub(super) fn at(shared: &Arc<Shared>) -> Self {
        let (to, arrived) = mpsc::unbounded_channel();
        let mut door = locked(&shared.door);
        assert!(
            door.to.is_none(),
            "the observers of this fake are held already: take the next from there"
        );
        *door = Door {
            to: Some(to),
            gone: HashSet::new(),
        };
        drop(door);
        Self {
            shared: shared.clone(),
            arrived,
        }
    }

    /// The next who asks to observe.
    ///
    /// # Panics
    /// When nobody does within 20 seconds.
    pub async fn next(&mut self) -> PendingUpgrade {
        match within(PATIENCE, self.arrived.recv()).await {
            Ok(Some(knock)) => knock,
            Ok(None) => unreachable!("the door keeps its end until this is dropped"),
            Err(_elapsed) => panic!(
                "nobody came to observe within {PATIENCE:?}; what came instead: {:?}",
                self.shared.unexpected.take()
            ),
        }
    }

    /// The next who asks to observe, let in.
    ///
    /// # Panics
    /// As [`next`](Self::next) and [`PendingUpgrade::accept`].
    pub async fn accept(&mut self) -> FakeEventStream {
        self.next().await.accept().await
    }

    /// How many asked and wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.arrived.len()
    }

    /// The next, if somebody asked already.
    pub fn try_next(&mut self) -> Option<PendingUpgrade> {
        self.arrived.try_recv().ok()
    }
}

impl Drop for FakeEvents {
    fn drop(&mut self) {
        locked(&self.shared.door).to = None;
        self.arrived.close();
        while let Ok(knock) = self.arrived.try_recv() {
            if !knock.comes_back {
                self.shared.unexpected.came(knock.asked);
            }
        }
    }
}

impl PendingUpgrade {
    /// What was asked, with its headers.
    #[must_use]
    pub fn request(&self) -> &Received {
        &self.asked
    }

    /// The Worker that is to be observed.
    ///
    /// # Panics
    /// When the path has an id that none could have.
    #[must_use]
    pub fn worker_id(&self) -> WorkerId {
        let id = self.asked.path().split('/').nth(3).unwrap_or_default();
        WorkerId::parse(id).unwrap_or_else(|error| panic!("{error}: {}", self.asked))
    }

    /// Where the observer wants to go on; `None` asks for a snapshot.
    ///
    /// # Panics
    /// When it is not a cursor that any Runtime could have made.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        let text = self.asked.query("cursor")?;
        let cursor = Cursor::parse(text);
        Some(cursor.unwrap_or_else(|error| panic!("{error}: {}", self.asked)))
    }

    /// Lets it in: 101, with the names of this Runtime.
    ///
    /// # Panics
    /// When it did not ask for a WebSocket, or is gone.
    pub async fn accept(mut self) -> FakeEventStream {
        let key = self.head.header("sec-websocket-key");
        let key = key.unwrap_or_else(|| panic!("this is no WebSocket handshake: {}", self.asked));
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        let mut head = Head::answer(101, "Switching Protocols");
        head.set("connection", "Upgrade");
        head.set("upgrade", "websocket");
        head.set("sec-websocket-accept", accept);
        let names = Answer::raw(101, "", "").named_by(self.visit.shared.id());
        for (name, value) in names.to(&self.asked).headers {
            if name != "content-type" {
                head.set(&name, value);
            }
        }
        if let Err(error) = self.stream.write_all(&head.to_bytes()).await {
            panic!("who asked to observe is gone ({error}): {}", self.asked);
        }
        let (worker_id, cursor) = (self.worker_id(), self.cursor());
        locked(&self.visit.shared.door)
            .gone
            .remove(&self.visit.path);
        FakeEventStream::over(self.stream, self.visit, worker_id, cursor).await
    }

    /// Refuses before the upgrade, as a Runtime does with what it knows by then.
    pub async fn refuse(self, code: Code) {
        let failure = problems::failure(code, Some(Operation::Events));
        self.refuse_as(failure).await;
    }

    /// The same with a failure of its own details.
    pub async fn refuse_as(self, failure: Failure) {
        let (id, worker_id) = (self.visit.shared.id().clone(), self.worker_id());
        let operation = Some(Operation::Events);
        let problem = answer::told(failure, &id, Some(&worker_id), operation, &self.asked);
        self.refuse_with(&problem).await;
    }

    /// Refuses with this problem, as it is, under the status that it names.
    pub async fn refuse_with(self, problem: &Problem) {
        let answer = Answer::problem(problem).to(&self.asked);
        let answer = answer.named_by(self.visit.shared.id());
        // Whoever is gone by now did not want to know.
        let _ = say(self.stream, answer).await;
    }

    /// Refuses with an answer that names nobody, as a proxy's does.
    pub async fn refuse_raw(self, status: u16, content_type: &str, body: impl Into<Vec<u8>>) {
        let _ = say(self.stream, Answer::raw(status, content_type, body)).await;
    }
}

impl fmt::Debug for FakeEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeEvents")
            .field("runtime_id", self.shared.id())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PendingUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingUpgrade")
            .field("request", &self.asked)
            .finish_non_exhaustive()
    }
}
