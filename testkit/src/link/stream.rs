//! A WebSocket through a proxy, message by message.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use yoi_protocol::{Operation, RawFrame};

use super::message::{Message, Messages, Opcode, write, write_in_pieces};
use super::shared::Shared;
use super::step::{Script, Step, play};
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
        late: Vec::new(),
    };
    let mut messages = Messages::after(said);
    let mut changes = shared.changes();
    let mut from_observer = [0_u8; 4096];
    let end = loop {
        changes.borrow_and_update();
        match stream.strike() {
            Strike::Nothing => {}
            Strike::Say(bytes) => {
                if observer.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Strike::End(script) => break Some(script),
        }
        tokio::select! {
            heard = observer.read(&mut from_observer) => match heard {
                Ok(0) | Err(_) => return,
                // What is said into a dead line is lost.
                Ok(_) if stream.muted == Some(Muted::All) => {}
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
                Ok(None) | Err(_) if stream.muted == Some(Muted::All) => {
                    break Some(vec![Step::Hang]);
                }
                Ok(None) => break None,
                Err(_) => break Some(vec![Step::Reset]),
            },
            // This cannot fail while `shared` is there.
            _ = changes.changed() => {}
        }
    };
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
    muted: Option<Muted>,
    /// What becomes of the next event, and by which fault.
    change: Option<(u64, Change)>,
    /// An event that comes after the next one.
    late: Vec<u8>,
}

/// What a fault does at once.
enum Strike {
    Nothing,
    Say(Vec<u8>),
    End(Script),
}

impl Stream<'_> {
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
        if let Tamper::Event(change) = tamper {
            // It has happened when there is an event.
            self.struck.push(id);
            self.change = Some((id, change));
            return Strike::Nothing;
        }
        if !self.shared.fire(id, self.exchange) {
            return Strike::Nothing;
        }
        self.struck.push(id);
        match tamper {
            Tamper::Said(bytes) => Strike::Say(bytes),
            Tamper::Over(script) => Strike::End(script),
            Tamper::Muted(muted) => {
                self.muted = Some(muted);
                Strike::Nothing
            }
            Tamper::Event(_) => unreachable!("seen to above"),
        }
    }

    fn next_fault(&self) -> Option<(u64, Fault)> {
        self.shared.find(Some(Operation::Events), |id, deed| {
            matches!(deed, Deed::Stream(_)) && !self.struck.contains(&id)
        })
    }

    /// What the observer gets of a message.
    fn pass(&mut self, message: Message) -> Vec<u8> {
        match (self.muted, message.opcode) {
            (Some(Muted::All), _) | (Some(Muted::Pongs), Opcode::Pong) => Vec::new(),
            (_, Opcode::Text) => self.pass_text(message),
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
        let mut bytes = match self.change.take() {
            Some((id, change)) if is_event => {
                if !self.shared.fire(id, self.exchange) {
                    return message.to_bytes();
                }
                return self.become_of(change, message, frame);
            }
            change => {
                self.change = change;
                message.to_bytes()
            }
        };
        if is_event {
            bytes.append(&mut self.late);
        }
        bytes
    }

    /// What becomes of an event.
    fn become_of(&mut self, change: Change, message: Message, mut frame: RawFrame) -> Vec<u8> {
        match change {
            Change::Twice => [message.to_bytes(), message.to_bytes()].concat(),
            Change::Skipped => Vec::new(),
            Change::Swapped => {
                self.late = message.to_bytes();
                Vec::new()
            }
            Change::InPieces => write_in_pieces(message.opcode, &message.payload),
            Change::Edited(edit) => {
                edit(&mut frame);
                write(Opcode::Text, frame.to_text().as_bytes())
            }
        }
    }
}
