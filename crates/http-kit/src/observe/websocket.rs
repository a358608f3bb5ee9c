//! Frames over a WebSocket.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use yoi_protocol::{StreamEnd, Subject};

use super::batch::Batch;
use super::outlet::Outlet;
use super::upgrade::Socket;
use super::{FrameSource, GOODBYE, ObserveSettings, Upgrade};
use crate::server::{Drain, Progress};

/// Upgrades, and sends what the source yields until it ends, the peer leaves, or the server does.
///
/// `open` is awaited after the upgrade, so that its failure reaches an observer that cannot read
/// a refused upgrade; give a ready future for a source that is open already.
pub fn websocket<S, O>(
    upgrade: Upgrade,
    open: O,
    about: Subject,
    settings: &ObserveSettings,
) -> Response
where
    S: FrameSource,
    O: Future<Output = Result<S, StreamEnd>> + Send + 'static,
{
    let settings = settings.clone();
    let progress = Arc::clone(&upgrade.progress);
    upgrade.accept(move |socket| observe(socket, open, about, settings, progress))
}

/// Why the server stops sending.
enum Over {
    /// It has something to say about that.
    Ended(StreamEnd),
    /// The peer has closed, and waits for the answer to that.
    Closed,
    /// Nobody listens.
    Gone,
}

async fn observe<S, O>(
    socket: Socket,
    open: O,
    about: Subject,
    settings: ObserveSettings,
    progress: Arc<Progress>,
) where
    S: FrameSource,
    O: Future<Output = Result<S, StreamEnd>> + Send + 'static,
{
    let (sink, mut stream) = socket.split();
    let mut outlet = Outlet::new(sink);
    let (pinged, silence) = watch::channel(None);
    // Every branch but `send` only waits, so dropping it loses nothing; a write that is cut short
    // leaves its bytes in the outlet, where the goodbye finds them. What was heard is looked at
    // before the silence, so that a machine that stood still drops nobody; and what there is to
    // send before the end of all streams, which is for those that cannot take it.
    let over = tokio::select! {
        biased;
        over = listen(&mut stream, &pinged) => over,
        () = unanswered_for(silence, settings.pong_timeout, &progress) => Over::Gone,
        over = send(&mut outlet, open, &pinged, settings.ping_every, &settings.drain) => over,
        () = settings.drain.streams_ended() => Over::Ended(StreamEnd::Draining),
    };
    let parting = async {
        match over {
            Over::Gone => return,
            Over::Closed => {}
            Over::Ended(end) => goodbye(&mut outlet, &end, &about, &settings).await,
        }
        // Sends what is to be sent, hears the answer to a close, and gives it: a socket that is
        // dropped before that may take the last words with it.
        while let Some(Ok(_)) = stream.next().await {}
    };
    let _ = timeout(GOODBYE, parting).await;
}

/// When the ping was written that is not answered; `None` while there is none.
type Pinged = Option<Instant>;

/// Listens for signs of life. Anything else that is said is too much.
async fn listen(stream: &mut SplitStream<Socket>, pinged: &watch::Sender<Pinged>) -> Over {
    loop {
        match stream.next().await {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                pinged.send_replace(None);
            }
            Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Frame(_))) => {
                return Over::Ended(StreamEnd::ObservationOnly);
            }
            // Too much of it, or nothing that a WebSocket may say. Where the socket is gone, the
            // goodbye finds out at once.
            Some(Err(_)) => return Over::Ended(StreamEnd::ObservationOnly),
            Some(Ok(Message::Close(_))) => return Over::Closed,
            None => return Over::Gone,
        }
    }
}

/// Waits until a ping was not answered for `longest`, nor anything taken of what waits behind it.
async fn unanswered_for(
    mut pinged: watch::Receiver<Pinged>,
    longest: Duration,
    progress: &Progress,
) {
    loop {
        let ping = *pinged.borrow_and_update();
        let silent = async {
            match ping {
                None => std::future::pending().await,
                Some(ping) => {
                    let sign = progress.last_sign().map_or(ping, |sign| sign.max(ping));
                    sleep_until(sign + longest).await;
                    progress.last_sign().is_none_or(|last| last <= sign)
                }
            }
        };
        tokio::select! {
            biased;
            changed = pinged.changed() => if changed.is_err() { return },
            nothing_since = silent => if nothing_since { return },
        }
    }
}

/// Opens the source and sends its frames, with a ping every so often.
async fn send<S, O>(
    outlet: &mut Outlet,
    open: O,
    pinged: &watch::Sender<Pinged>,
    every: Duration,
    drain: &Drain,
) -> Over
where
    S: FrameSource,
    O: Future<Output = Result<S, StreamEnd>>,
{
    let mut pings = interval_at(Instant::now() + every, every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut open = std::pin::pin!(open);
    let mut source = loop {
        tokio::select! {
            biased;
            _ = pings.tick() => if ping(outlet, pinged).await.is_err() { return Over::Gone },
            opened = &mut open => match opened {
                Ok(source) => break source,
                Err(end) => return Over::Ended(end),
            },
        }
    };
    loop {
        let batch = tokio::select! {
            biased;
            _ = pings.tick() => {
                if ping(outlet, pinged).await.is_err() { return Over::Gone }
                continue;
            }
            batch = Batch::next(&mut source, drain) => batch,
        };
        if write(outlet, &batch).await.is_err() {
            return Over::Gone;
        }
        if let Some(end) = batch.end {
            return Over::Ended(end);
        }
    }
}

/// Only a ping that has left is waited for; of several the first counts.
async fn ping(outlet: &mut Outlet, pinged: &watch::Sender<Pinged>) -> Result<(), Error> {
    outlet.control(Message::Ping(Bytes::new())).await?;
    pinged.send_if_modified(|first| match first {
        Some(_) => false,
        None => {
            *first = Some(Instant::now());
            true
        }
    });
    Ok(())
}

/// All frames of a batch, and one flush.
async fn write(outlet: &mut Outlet, batch: &Batch) -> Result<(), Error> {
    for frame in &batch.frames {
        outlet.text(frame.text.clone()).await?;
    }
    outlet.flush().await
}

/// The last frame and the close. Where that fails nobody listens any more.
async fn goodbye(
    outlet: &mut Outlet,
    end: &StreamEnd,
    about: &Subject,
    settings: &ObserveSettings,
) {
    if let Some(last) = settings.last_words(end, about)
        && outlet.text(last.into()).await.is_err()
    {
        return;
    }
    let close = CloseFrame {
        code: end.close_code().into(),
        reason: reason(end).into(),
    };
    let _ = outlet.control(Message::Close(Some(close))).await;
}

/// The code in the close frame, for those who look there.
fn reason(end: &StreamEnd) -> &'static str {
    match end {
        StreamEnd::Complete => "complete",
        StreamEnd::Failed(failure) => failure.code.as_str(),
        StreamEnd::SlowConsumer => "slow_consumer",
        StreamEnd::Draining => "draining",
        StreamEnd::ObservationOnly => "observation_only",
    }
}
