//! A WebSocket through a proxy, message by message.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use yoi_protocol::{Operation, RawFrame};

use super::message::{Message, Messages, Opcode, write, write_in_pieces};
use super::shared::Shared;
use super::step::{Script, Step, play};
use super::taken::Taken;
use crate::fault::{Change, Deed, Fault, Muted, Tamper};

/// Passes messages from the Runtime to the observer until one of them leaves or a fault ends it.
/// `said` is what the Runtime said already.
pub(super) async fn pump(
    shared: &Shared,
    exchange: usize,
    observer: &mut TcpStream,
    runtime: &mut TcpStream,
    said: Vec<u8>,
) {
    let mut stream = Stream {
        shared,
        exchange,
        caught_up: false,
        struck: Vec::new(),
        muted: None,
        change: None,
        late: None,
    };
    let mut messages = Messages::after(said);
    let mut changes = shared.changes();
    let mut from_observer = [0_u8; 4096];
    let end = loop {
        changes.borrow_and_update();
        match stream.strike() {
            Strike::Nothing => {}
            // Another may strike before anybody says something.
            Strike::PendingRequest => continue,
            Strike::Say(bytes) => {
                if observer.write_all(&bytes).await.is_err() {
                    return;
                }
                continue;
            }
            Strike::End(script) => break Some(script),
        }
        tokio::select! {
            heard = observer.read(&mut from_observer) => match heard {
                Ok(0) | Err(_) => return,
                // What is said into a dead line is lost.
                Ok(_) if stream.is_dead() => stream.swallowed(),
                Ok(length) => if runtime.write_all(&from_observer[..length]).await.is_err() {
                    break None;
                },
            },
            message = messages.next(runtime) => match message {
                Ok(Some(message)) => {
                    let bytes = stream.pass(message);
                    if observer.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                // Not even that it was hung up is heard.
                Ok(None) | Err(_) if stream.is_dead() => {
                    stream.swallowed();
                    break Some(vec![Step::Hang]);
                }
                Ok(None) => break None,
                Err(_) => break Some(vec![Step::Reset]),
            },
            // This cannot fail while `shared` is there.
            _ = changes.changed() => {}
        }
    };
    drop(stream);
    let script = end.unwrap_or_else(|| vec![Step::Close]);
    play(observer, script, &Semaphore::new(0), |_, _| {}).await;
}

/// A stream that stands.
struct Stream<'a> {
    shared: &'a Shared,
    exchange: usize,
    caught_up: bool,
    /// Which faults have met it: each does once.
    struck: Vec<u64>,
    muted: Option<(Muted, Unheard<'a>)>,
    /// What becomes of the next event, and by which fault.
    change: Option<(u64, Change)>,
    /// An event that comes after the next one, and the fault that is done then.
    late: Option<(Vec<u8>, Taken<'a>)>,
}

/// A silence that has begun, and counts when the first thing is not heard.
type Unheard<'a> = Option<Taken<'a>>;

/// What a fault does at once.
enum Strike {
    Nothing,
    PendingRequest,
    Say(Vec<u8>),
    End(Script),
}

impl<'a> Stream<'a> {
    /// Lets a fault meet the stream, if there is one.
    fn strike(&mut self) -> Strike {
        if !self.caught_up {
            return Strike::Nothing;
        }
        let Some((id, fault)) = self.next_fault() else {
            return Strike::Nothing;
        };
        let Deed::Stream(tamper) = fault.deed() else {
            unreachable!("{fault} does not happen to a stream");
        };
        self.struck.push(id);
        if let Tamper::Event(change) = tamper {
            // It is taken when there is an event: until then another stream may have it.
            self.change = Some((id, change));
            return Strike::PendingRequest;
        }
        let Some(taken) = self.shared.take(id, self.exchange) else {
            return Strike::PendingRequest;
        };
        match tamper {
            Tamper::Said(bytes) => {
                taken.done();
                Strike::Say(bytes)
            }
            Tamper::Over(script) => {
                taken.done();
                Strike::End(script)
            }
            Tamper::Muted(muted) => {
                self.muted = Some((muted, Some(taken)));
                Strike::PendingRequest
            }
            Tamper::Event(_) => unreachable!("seen to above"),
        }
    }

    /// The first that has not met this stream. One that is about an event waits for another that is
    /// about one, and a stream has one silence.
    fn next_fault(&self) -> Option<(u64, Fault)> {
        let changing = self.change.is_some() || self.late.is_some();
        self.shared.find(Some(Operation::Events), |id, deed| {
            let Deed::Stream(tamper) = deed else {
                return false;
            };
            let fits = match tamper {
                Tamper::Event(_) => !changing,
                Tamper::Muted(_) => self.muted.is_none(),
                Tamper::Said(_) | Tamper::Over(_) => true,
            };
            fits && !self.struck.contains(&id)
        })
    }

    /// Whether nothing passes any more.
    fn is_dead(&self) -> bool {
        matches!(self.muted, Some((Muted::All, _)))
    }

    /// Something was not heard.
    fn swallowed(&mut self) {
        if let Some((_, unheard)) = &mut self.muted {
            unheard.take().map(Taken::done);
        }
    }

    /// What the observer gets of a message.
    fn pass(&mut self, message: Message) -> Vec<u8> {
        let muted = self.muted.as_ref().map(|(muted, _)| *muted);
        match (muted, message.opcode) {
            (Some(Muted::All), _) | (Some(Muted::Pongs), Opcode::Pong) => {
                self.swallowed();
                Vec::new()
            }
            (_, Opcode::Text) => self.pass_text(message),
            (_, Opcode::Close) => match self.late.take() {
                // Nothing came that it could be later than.
                Some((late, _never)) => [late, message.to_bytes()].concat(),
                None => message.to_bytes(),
            },
            (_, _) => message.to_bytes(),
        }
    }

    fn pass_text(&mut self, message: Message) -> Vec<u8> {
        let text = String::from_utf8_lossy(&message.payload);
        let Ok(frame) = RawFrame::parse(&text) else {
            return message.to_bytes();
        };
        if frame.payload_type("control").as_deref() == Some("caught_up") {
            self.caught_up = true;
        }
        let kind = frame.payload_type("event");
        let is_event = kind.is_some_and(|kind| kind != "snapshot");
        if !is_event {
            return message.to_bytes();
        }
        if let Some((late, taken)) = self.late.take() {
            taken.done();
            return [message.to_bytes(), late].concat();
        }
        let change = self.change.take();
        let taken =
            change.and_then(|(id, change)| Some((self.shared.take(id, self.exchange)?, change)));
        match taken {
            Some((taken, change)) => self.become_of(change, taken, message, frame),
            None => message.to_bytes(),
        }
    }

    /// What becomes of an event.
    fn become_of(
        &mut self,
        change: Change,
        taken: Taken<'a>,
        message: Message,
        mut frame: RawFrame,
    ) -> Vec<u8> {
        let bytes = match change {
            Change::Twice => [message.to_bytes(), message.to_bytes()].concat(),
            Change::Skipped => Vec::new(),
            Change::Swapped => {
                // It has happened when there is another event to come before this one.
                self.late = Some((message.to_bytes(), taken));
                return Vec::new();
            }
            Change::InPieces => write_in_pieces(message.opcode, &message.payload),
            Change::Edited(edit) => {
                edit(&mut frame);
                write(Opcode::Text, frame.to_text().as_bytes())
            }
        };
        taken.done();
        bytes
    }
}
