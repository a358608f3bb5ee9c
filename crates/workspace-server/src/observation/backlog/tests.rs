//! Rings, and the upstreams of those who come to them.

mod feed;
mod hand_over;
mod joins;
mod ring;
mod witness;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;
use yoi_protocol::{RawFrame, RuntimeId, StreamEnd, WorkerId};

use super::Backlog;
use crate::handle::Upstream;
use crate::observation::ObservationSettings;
use crate::observation::frame::Rewriter;
use crate::observation::own::{Bounds, Own, Shared};
use crate::observation::upstream::{Open, Resuming};
use crate::scrub::Scrubber;
use crate::seal::KeyRing;
use feed::{Feed, event, raw};
use witness::Witness;

/// What may be in flight in these tests.
const IN_FLIGHT_BYTES: usize = 2_000;

struct NoUpstream;

#[async_trait::async_trait]
impl Upstream for NoUpstream {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        std::future::pending().await
    }
}

/// An upstream of one's own that was opened at `at`, with a snapshot.
fn own(keys: &KeyRing, feed: &Feed, at: usize, witness: Option<&mut Witness>) -> Own {
    let rewriter = Rewriter::new(
        keys,
        &RuntimeId::parse("r").unwrap(),
        &WorkerId::parse("w").unwrap(),
        Scrubber::of(Vec::new()),
    );
    let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let bounds = Bounds {
        patience: Duration::from_secs(1),
        in_flight_bytes: IN_FLIGHT_BYTES,
        ends_itself: false,
    };
    let again: Open = Box::new(|_| panic!("nothing is lost here"));
    let backoff = ObservationSettings::default().backoff;
    let upstream = Resuming::new(Box::new(NoUpstream), again, backoff);
    let mut own = Own::new(upstream, rewriter, None, bounds, permit);
    let (seq, in_flight) = &feed.before[at];
    let first = [
        event(*seq, json!({"type": "snapshot"})),
        json!({"kind": "control", "control": {"type": "caught_up", "in_flight": in_flight}}),
    ];
    let mut witness = witness;
    for frame in first {
        own.take(raw(&frame)).unwrap();
        let frame = own.pop().unwrap();
        if let Some(witness) = &mut witness {
            witness.sees(&frame);
        }
    }
    own
}

/// What was opened at `at` and is for all now.
fn shared(keys: &KeyRing, feed: &Feed, at: usize, max_bytes: usize) -> (Rewriter, Backlog) {
    let Shared {
        rewriter, backlog, ..
    } = own(keys, feed, at, None).share(max_bytes).unwrap();
    (rewriter, backlog)
}
