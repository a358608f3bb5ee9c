use futures_util::FutureExt;
use tokio::io::{DuplexStream, duplex};
use tokio::time::{advance, sleep};
use tokio_tungstenite::tungstenite::protocol::Role;
use yoi_protocol::Code;

use super::*;

const IDLE: Duration = Duration::from_secs(60);

async fn opened() -> (FrameStream, WebSocketStream<DuplexStream>) {
    let (ours, theirs) = duplex(4096);
    let ours: Box<dyn Duplex> = Box::new(ours);
    let ours = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
    let watching = Watching {
        link: true,
        idle: IDLE,
        boot_id: None,
    };
    let theirs = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
    (FrameStream::new(ours, watching), theirs)
}

/// How the stream ends, and after how long.
async fn end(stream: &mut FrameStream) -> (StreamEnd, Duration) {
    let began = Instant::now();
    let end = stream.next().await.unwrap_err();
    (end, began.elapsed())
}

fn is_silence(end: &StreamEnd) -> bool {
    matches!(end, StreamEnd::Failed(failure) if failure.code == Code::RuntimeTimedOut)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_pings_is_never_lost_and_one_that_does_not_is_after_the_idle_time() {
    let (mut stream, mut server) = opened().await;
    let hears = tokio::spawn(async move {
        let until = sleep(IDLE * 10);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return server,
                // Whoever reads answers pings.
                heard = server.next() => assert!(matches!(heard, Some(Ok(Message::Ping(_))))),
            }
        }
    });
    let (end, after) = end(&mut stream).await;
    assert!(is_silence(&end), "{end:?}");
    assert!(after > IDLE * 10 && after <= IDLE * 11, "{after:?}");
    drop(hears.await);
}

/// A machine that stood still for an hour has not heard of anybody: that is not their silence.
#[tokio::test(start_paused = true)]
async fn a_reader_that_stood_still_gives_the_server_time_to_answer() {
    let (mut stream, mut server) = opened().await;
    advance(IDLE * 60).await;
    assert_eq!(stream.next().now_or_never().map(drop), None);
    let heard = server.next().await;
    assert!(matches!(heard, Some(Ok(Message::Ping(_)))), "{heard:?}");
    sleep(IDLE / 2 - Duration::from_secs(1)).await;
    server.flush().await.unwrap();
    assert_eq!(stream.next().now_or_never().map(drop), None);
    let (end, after) = end(&mut stream).await;
    assert!(is_silence(&end), "{end:?}");
    assert!(after >= IDLE, "{after:?}");
}
