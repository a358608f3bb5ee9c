//! Watching a Worker in a test that ends.

use std::time::Duration;

use tokio::time::timeout;
use yoi_client::{Call, FrameStream, Workers};
use yoi_protocol::{Control, Event, Frame, Outcome, WorkerId};

/// The next frame, soon or never.
async fn next(frames: &mut FrameStream) -> Frame {
    let frame = timeout(Duration::from_secs(20), frames.next())
        .await
        .expect("a frame within 20 s")
        .expect("a frame and no end");
    serde_json::from_str(&frame.to_text()).unwrap()
}

/// A stream that is caught up: what is done from now on is seen as it happens.
///
/// A Backend opens its end only after the upgrade, so a stream that was just opened may begin
/// with a snapshot of what was done after it.
pub(crate) async fn watch(workers: &Workers, worker: &WorkerId) -> FrameStream {
    let mut frames = workers
        .events(worker, None, &Call::default())
        .await
        .unwrap();
    loop {
        if let Frame::Control(frame) = next(&mut frames).await
            && matches!(frame.control, Control::CaughtUp { .. })
        {
            return frames;
        }
    }
}

/// How the run ends that is watched, and the code of its error.
pub(crate) async fn outcome(frames: &mut FrameStream) -> (Outcome, Option<String>) {
    loop {
        if let Frame::Event(frame) = next(frames).await
            && let Event::RunFinished { outcome, error, .. } = frame.event
        {
            return (outcome, error.map(|error| error.code));
        }
    }
}
