//! Frames over a WebSocket.

use std::future::Future;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use yoi_protocol::{StreamEnd, Subject};

use super::batch::Batch;
use super::{FrameSource, ObserveSettings, Upgrade};

/// How long a peer gets to take the last words and answer the close.
const GOODBYE: Duration = Duration::from_secs(2);

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
    upgrade
        .0
        .on_upgrade(move |socket| observe(socket, open, about, settings))
}

/// Why the server stops sending.
enum Over {
    /// It has something to say about that.
    Ended(StreamEnd),
    /// Nobody listens.
    Gone,
}

async fn observe<S, O>(socket: WebSocket, open: O, about: Subject, settings: ObserveSettings)
where
    S: FrameSource,
    O: Future<Output = Result<S, StreamEnd>> + Send + 'static,
{
    let (mut sink, mut stream) = socket.split();
    let (heard, silence) = watch::channel(Instant::now());
    // Every branch but the last only waits, so dropping it loses nothing; a write that is cut
    // short leaves its bytes in the sink, where the goodbye finds them. What was heard is looked
    // at before the silence, so that a machine that stood still drops nobody.
    let over = tokio::select! {
        biased;
        over = listen(&mut stream, &heard) => over,
        () = silent_for(silence, settings.ping_every + settings.pong_timeout) => Over::Gone,
        () = settings.drain.streams_ended() => Over::Ended(StreamEnd::Draining),
        over = send(&mut sink, open, settings.ping_every) => over,
    };
    match over {
        Over::Gone => {}
        Over::Ended(end) => {
            let goodbye = goodbye(&mut sink, &mut stream, &end, &about, &settings);
            let _ = timeout(GOODBYE, goodbye).await;
        }
    }
}

/// Listens for signs of life. Anything else that is said is too much.
async fn listen(stream: &mut SplitStream<WebSocket>, heard: &watch::Sender<Instant>) -> Over {
    loop {
        match stream.next().await {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                heard.send_replace(Instant::now());
            }
            Some(Ok(Message::Text(_) | Message::Binary(_))) => {
                return Over::Ended(StreamEnd::ObservationOnly);
            }
            // Too much of it, or nothing that a WebSocket may say. Where the socket is gone, the
            // goodbye finds out at once.
            Some(Err(_)) => return Over::Ended(StreamEnd::ObservationOnly),
            Some(Ok(Message::Close(_))) | None => return Over::Gone,
        }
    }
}

/// Waits until nothing was heard for `longest`.
async fn silent_for(mut heard: watch::Receiver<Instant>, longest: Duration) {
    loop {
        let until = *heard.borrow_and_update() + longest;
        tokio::select! {
            biased;
            changed = heard.changed() => if changed.is_err() { return },
            () = sleep_until(until) => return,
        }
    }
}

/// Opens the source and sends its frames, with a ping every so often.
async fn send<S, O>(sink: &mut SplitSink<WebSocket, Message>, open: O, every: Duration) -> Over
where
    S: FrameSource,
    O: Future<Output = Result<S, StreamEnd>>,
{
    let mut pings = interval_at(Instant::now() + every, every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut open = std::pin::pin!(open);
    let mut source = loop {
        tokio::select! {
            opened = &mut open => match opened {
                Ok(source) => break source,
                Err(end) => return Over::Ended(end),
            },
            _ = pings.tick() => if ping(sink).await.is_err() { return Over::Gone },
        }
    };
    loop {
        let batch = tokio::select! {
            batch = Batch::next(&mut source) => batch,
            _ = pings.tick() => {
                if ping(sink).await.is_err() { return Over::Gone }
                continue;
            }
        };
        if write(sink, &batch).await.is_err() {
            return Over::Gone;
        }
        if let Some(end) = batch.end {
            return Over::Ended(end);
        }
    }
}

async fn ping(sink: &mut SplitSink<WebSocket, Message>) -> Result<(), axum::Error> {
    sink.send(Message::Ping(Bytes::new())).await
}

/// All frames of a batch, and one flush.
async fn write(sink: &mut SplitSink<WebSocket, Message>, batch: &Batch) -> Result<(), axum::Error> {
    for frame in &batch.frames {
        let text = Utf8Bytes::try_from(frame.text.clone()).map_err(axum::Error::new)?;
        sink.feed(Message::Text(text)).await?;
    }
    sink.flush().await
}

/// The last frame, the close, and the peer's answer to it: a socket that is dropped before that
/// may take the last words with it.
async fn goodbye(
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
    end: &StreamEnd,
    about: &Subject,
    settings: &ObserveSettings,
) {
    if let Some(last) = settings.last_words(end, about)
        && sink.feed(Message::Text(last.into())).await.is_err()
    {
        return;
    }
    let close = Message::Close(Some(CloseFrame {
        code: end.close_code(),
        reason: reason(end).into(),
    }));
    if sink.send(close).await.is_err() {
        return;
    }
    while let Some(Ok(message)) = stream.next().await {
        if matches!(message, Message::Close(_)) {
            break;
        }
    }
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
