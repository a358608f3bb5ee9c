//! One connection to a proxy: one request, and what becomes of it.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use yoi_protocol::{Code, Operation};

use super::answer::Answer;
use super::credential::Credential;
use super::head::Head;
use super::shared::Shared;
use super::step::{Played, Script, Step, hold, play, request};
use super::stream;
use super::taken::Taken;
use crate::fault::{Deed, Fault, Scene, said};

/// What every connection to a proxy knows.
#[derive(Clone)]
pub(super) struct Connection {
    /// Where the Runtime is.
    pub(super) runtime: Arc<str>,
    pub(super) shared: Arc<Shared>,
    pub(super) credential: Arc<Credential>,
}

/// One request, and its number.
struct Asked {
    head: Head,
    body: Vec<u8>,
    exchange: usize,
}

impl Connection {
    /// Serves a connection until it is over.
    pub(super) async fn serve(self, mut stream: TcpStream) {
        match request(&mut stream).await {
            Ok(Some((head, body))) => {
                let line = format!("{} {}", head.method(), head.target());
                let exchange = self.shared.note(line, head.operation());
                let asked = Asked {
                    head,
                    body,
                    exchange,
                };
                if self.exchange(&mut stream, asked).await.is_err() {
                    // The Runtime is gone, or leaves in the middle: no better, and no worse.
                    let _ = stream.set_zero_linger();
                }
            }
            // What a server says to TLS that does not speak it.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let plain = Answer::new(400, "text/plain", "this is plain HTTP");
                self.play(&mut stream, vec![Step::Say(plain.to_bytes()), Step::Close])
                    .await;
            }
            Ok(None) | Err(_) => {}
        }
    }

    async fn exchange(&self, stream: &mut TcpStream, mut asked: Asked) -> io::Result<()> {
        let operation = asked.head.operation();
        // Server-sent events are an answer that has no end to wait for.
        let ends = operation != Some(Operation::Events) || asked.head.wants_upgrade();
        let happens = |deed: &Deed| match deed {
            Deed::InPlace(_) => true,
            Deed::Asked(_) => asked.head.wants_upgrade(),
            Deed::Spoiled(_) => ends,
            Deed::Rotated => !self.credential.is_latest(&asked.head),
            Deed::Elsewhere(_) | Deed::Stream(_) | Deed::Inside(_) => false,
        };
        let Some(taken) = self.shared.take_first(asked.exchange, operation, happens) else {
            return self.pass(stream, asked, None).await;
        };
        let fault = taken.fault();
        match fault.deed() {
            Deed::InPlace(script) => {
                let script = script(&self.scene(fault, &asked));
                taken.done();
                self.end(stream, script).await;
                Ok(())
            }
            Deed::Rotated => {
                let refused = Fault::Coded(Code::Unauthorized);
                if let Deed::InPlace(script) = refused.deed() {
                    let script = script(&self.scene(refused, &asked));
                    taken.done();
                    self.end(stream, script).await;
                }
                Ok(())
            }
            Deed::Spoiled(script) => self.spoil(stream, asked, taken, script).await,
            Deed::Asked(change) => {
                change(&mut asked.head);
                self.pass(stream, asked, Some(taken)).await
            }
            Deed::Elsewhere(_) | Deed::Stream(_) | Deed::Inside(_) => {
                unreachable!("{fault} does not happen to a request")
            }
        }
    }

    /// Lets the Runtime answer, and does something with the answer, where there is one to do it
    /// with.
    async fn spoil(
        &self,
        stream: &mut TcpStream,
        asked: Asked,
        taken: Taken<'_>,
        script: fn(Answer, &mut Scene<'_>) -> Script,
    ) -> io::Result<()> {
        let mut runtime = self.ask(&asked).await?;
        let mut answer = answered(&mut runtime).await?;
        if !taken.fault().can_spoil(&answer) {
            drop(taken);
            self.end(stream, said(&answer)).await;
            return Ok(());
        }
        let becomes_stream = answer.is_upgrade();
        let said = match becomes_stream {
            // The first of what the stream says belongs to the stream.
            true => std::mem::take(&mut answer.body),
            false => Vec::new(),
        };
        let script = script(answer, &mut self.scene(taken.fault(), &asked));
        taken.done();
        if !becomes_stream {
            self.end(stream, script).await;
        } else if self.play(stream, script).await == Played::On {
            stream::pump(&self.shared, asked.exchange, stream, &mut runtime, said).await;
        }
        Ok(())
    }

    /// Lets the Runtime answer, and passes the answer on as it comes. `taken` is what was done to
    /// the request.
    async fn pass(
        &self,
        stream: &mut TcpStream,
        asked: Asked,
        taken: Option<Taken<'_>>,
    ) -> io::Result<()> {
        let mut runtime = self.ask(&asked).await?;
        taken.map(Taken::done);
        if !asked.head.wants_upgrade() {
            // One of the two may leave at any time, which is no fault of ours.
            let _ = copy_bidirectional(stream, &mut runtime).await;
            return Ok(());
        }
        let answer = answered(&mut runtime).await?;
        if !answer.is_upgrade() {
            self.end(stream, said(&answer)).await;
            return Ok(());
        }
        stream.write_all(&answer.head.to_bytes()).await?;
        stream::pump(
            &self.shared,
            asked.exchange,
            stream,
            &mut runtime,
            answer.body,
        )
        .await;
        Ok(())
    }

    /// Sends the request on to the Runtime.
    async fn ask(&self, asked: &Asked) -> io::Result<TcpStream> {
        let mut head = asked.head.clone();
        if !head.wants_upgrade() {
            head.set("connection", "close");
        }
        head.set("host", &*self.runtime);
        self.credential.translate(&mut head);
        let mut runtime = TcpStream::connect(&*self.runtime).await?;
        runtime.set_nodelay(true)?;
        self.shared.forwarded(asked.exchange);
        runtime
            .write_all(&[head.to_bytes(), asked.body.clone()].concat())
            .await?;
        Ok(runtime)
    }

    /// Plays a script that is all that is said on a connection.
    async fn end(&self, stream: &mut TcpStream, script: Script) {
        if self.play(stream, script).await == Played::On {
            let _ = stream.shutdown().await;
            hold(stream).await;
        }
    }

    async fn play(&self, stream: &mut TcpStream, script: Script) -> Played {
        // No script of a fault waits for the test.
        play(stream, script, &Semaphore::new(0), |_, _| {}).await
    }

    fn scene<'a>(&'a self, fault: Fault, asked: &'a Asked) -> Scene<'a> {
        Scene {
            fault,
            runtime_id: &self.shared.runtime_id,
            asked: &asked.head,
            chance: self.shared.chance(asked.exchange),
            slow: self.shared.slow,
        }
    }
}

/// What a Runtime answers. It keeps the connection of an upgrade that it refuses, and there is one
/// request to each here: whoever asked is to know, or the next request finds it closed.
async fn answered(runtime: &mut TcpStream) -> io::Result<Answer> {
    let mut answer = Answer::read(runtime).await?;
    if !answer.is_upgrade() {
        answer.head.set("connection", "close");
    }
    Ok(answer)
}
