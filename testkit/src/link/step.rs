//! What a peer does on a connection, step by step.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::head;

/// One thing that a peer does on a connection.
///
/// ```
/// use yoi_testkit::{RawPeer, Step};
/// # use yoi_client::{Call, Client};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let peer = RawPeer::start_each("gpu-1", [
///     vec![Step::Reset],                                                  // the first connection
///     vec![Step::Hear, Step::Wait, Step::say("good morning"), Step::Close], // all that follow
/// ])
/// .await;
/// # let url = format!("http://{}", peer.address());
/// # let client = Client::builder(&url).unwrap().build().unwrap();
/// # let asked = tokio::spawn(async move { client.runtime_info(&Call::default()).await });
/// peer.until_heard(1).await;
/// peer.go_on();
/// # asked.await.unwrap().unwrap_err();
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Reads a request: its head, and the body that the head announces.
    Hear,
    /// Says these bytes.
    Say(Vec<u8>),
    /// Does nothing for so long.
    Pause(Duration),
    /// Says these bytes again and again, with such a pause between, until nobody takes them.
    Repeat(Vec<u8>, Duration),
    /// Does nothing until the test says [`RawPeer::go_on`](crate::RawPeer::go_on).
    Wait,
    /// Ends the connection in good order. Nothing follows.
    Close,
    /// Resets the connection. Nothing follows.
    Reset,
    /// Holds the connection, deaf and mute, until the far end leaves. Nothing follows.
    Hang,
}

impl Step {
    /// Says a text.
    #[must_use]
    pub fn say(text: impl Into<String>) -> Self {
        Self::Say(text.into().into_bytes())
    }
}

/// What is to be done on a connection, in order.
pub(crate) type Script = Vec<Step>;

/// Whether a connection goes on after a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Played {
    /// The script did not end it.
    On,
    /// It is over.
    Over,
}

/// Does what a script says. `heard` gets the requests; `told` has a permit for each time that the
/// test says to go on.
pub(crate) async fn play(
    stream: &mut TcpStream,
    script: Script,
    told: &Semaphore,
    mut heard: impl FnMut(head::Head, Vec<u8>),
) -> Played {
    for step in script {
        let went = match step {
            Step::Hear => match request(stream).await {
                Ok(Some((head, body))) => {
                    heard(head, body);
                    Ok(())
                }
                Ok(None) | Err(_) => return Played::Over,
            },
            Step::Say(bytes) => say(stream, &bytes).await,
            Step::Pause(time) => {
                sleep(time).await;
                Ok(())
            }
            Step::Repeat(bytes, between) => {
                while say(stream, &bytes).await.is_ok() {
                    sleep(between).await;
                }
                return Played::Over;
            }
            Step::Wait => {
                if let Ok(permit) = told.acquire().await {
                    permit.forget();
                }
                Ok(())
            }
            Step::Close => {
                let _ = stream.shutdown().await;
                hold(stream).await;
                return Played::Over;
            }
            Step::Reset => {
                let _ = stream.set_zero_linger();
                return Played::Over;
            }
            Step::Hang => {
                hold(stream).await;
                return Played::Over;
            }
        };
        if went.is_err() {
            // The far end has left.
            return Played::Over;
        }
    }
    Played::On
}

/// Reads a request: its head, and the body that the head announces.
pub(crate) async fn request(
    stream: &mut (impl AsyncRead + Unpin),
) -> std::io::Result<Option<(head::Head, Vec<u8>)>> {
    let Some((head, mut body)) = head::read(stream).await? else {
        return Ok(None);
    };
    let length = head.content_length().unwrap_or(0);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some((head, body)))
}

async fn say(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Takes what comes, and does nothing with it, until the far end leaves. A connection that is
/// dropped with something unread is reset, which is not what a script says that closes it.
pub(crate) async fn hold(stream: &mut (impl AsyncRead + Unpin)) {
    let mut ignored = [0_u8; 4096];
    while matches!(stream.read(&mut ignored).await, Ok(1..)) {}
}
