//! Faults of an observation.

use tokio::time::timeout;
use yoi_client::Call;
use yoi_protocol::{Code, Effect, Failure, InputRequest, RawFrame, StreamEnd, WorkerId};
use yoi_testkit::{Family, Fault, LinkRow, Outcome};
use yoi_workspace_server::Upstream;

use crate::rig::{PATIENCE, Rig};

/// What an observer makes of a stream who reads what it says, as a Backend does.
struct Observer {
    stream: Box<dyn Upstream>,
    worker: WorkerId,
    last: Option<u64>,
    unknown: usize,
    twice: usize,
}

impl Observer {
    async fn open(rig: &Rig, worker: &WorkerId) -> Self {
        Self::of(rig.observe(worker).await, worker).await
    }

    async fn of(stream: Box<dyn Upstream>, worker: &WorkerId) -> Self {
        let mut observer = Self {
            stream,
            worker: worker.clone(),
            last: None,
            unknown: 0,
            twice: 0,
        };
        observer.until("control", "caught_up").await.unwrap();
        observer
    }

    /// Reads on until a frame says so.
    async fn until(&mut self, kind: &str, payload: &str) -> Result<(), StreamEnd> {
        loop {
            let next = timeout(PATIENCE, self.stream.next()).await;
            let frame = next.expect("a frame, or the end")?;
            self.fold(&frame)?;
            if frame.payload_type(kind).as_deref() == Some(payload) {
                return Ok(());
            }
        }
    }

    fn fold(&mut self, frame: &RawFrame) -> Result<(), StreamEnd> {
        let broken = || StreamEnd::Failed(Failure::new(Code::RuntimeProtocolError));
        let Some(seq) = frame.seq() else {
            return Ok(());
        };
        let of: Option<WorkerId> = frame.read("worker_id");
        if of.as_ref() != Some(&self.worker) {
            return Err(broken());
        }
        let kind = frame.payload_type("event");
        self.unknown += usize::from(kind.as_deref() == Some("from_the_future"));
        match self.last {
            Some(last) if seq == last => {
                self.twice += 1;
                return Ok(());
            }
            Some(last) if seq != last + 1 => return Err(broken()),
            Some(_) | None => {}
        }
        self.last = Some(seq);
        Ok(())
    }
}

/// What becomes of a stream, in the words of an outcome.
fn outcome(told: Result<(), StreamEnd>) -> Outcome {
    match told {
        Ok(()) => Outcome::Unharmed,
        Err(StreamEnd::Failed(failure)) => {
            assert_eq!(failure.effect, Effect::None);
            Outcome::Breaks(LinkRow::of(&failure))
        }
        Err(end) => Outcome::Ends(end),
    }
}

async fn input(rig: &Rig, worker: &WorkerId) {
    let workers = rig.runtime.workers();
    let sent = workers
        .input(worker, &InputRequest::new("hi"), &Call::default())
        .await;
    sent.unwrap();
}

/// A stream that is caught up meets it; what stands or comes after does not.
async fn strikes(rig: &Rig, fault: Fault) {
    let worker = rig.worker().await;
    let mut observer = Observer::of(rig.observe_harmed(&worker).await, &worker).await;
    let injected = rig.link.inject(fault.first(1));
    input(rig, &worker).await;
    let expected = fault.outcome(yoi_protocol::Operation::Events);
    // What breaks need not break at once: a silence is noticed when there is nothing to say.
    let last = match expected {
        Outcome::Unharmed => "run_finished",
        _ => "worker_stopped",
    };
    let told = observer.until("event", last).await;
    assert_eq!(outcome(told), expected, "{fault}");
    injected.until_fired(1).await;
    assert_eq!(
        observer.twice,
        usize::from(fault == Fault::EventTwice),
        "{fault}"
    );
    assert_eq!(
        observer.unknown,
        usize::from(fault == Fault::UnknownEventType),
        "{fault}"
    );

    let worker = rig.worker().await;
    let mut observer = Observer::open(rig, &worker).await;
    input(rig, &worker).await;
    let well = observer.until("event", "run_finished").await;
    assert!(well.is_ok(), "{fault} is over: {well:?}");
    assert_eq!(injected.fired(), 1, "{fault}");
}

#[tokio::test]
async fn each_strikes_a_stream_that_stands() {
    for fault in Fault::all().filter(|fault| fault.family() == Family::Stream) {
        strikes(&Rig::awaiting(fault).await, fault).await;
    }
}

#[tokio::test]
async fn each_strikes_again_until_it_is_undone() {
    let rig = Rig::start().await;
    let worker = rig.worker().await;
    let injected = rig.link.inject(Fault::StreamReset);
    for _ in 0..2 {
        let mut observer = Observer::open(&rig, &worker).await;
        let told = observer.until("event", "run_finished").await;
        assert_eq!(
            outcome(told),
            Fault::StreamReset.outcome(yoi_protocol::Operation::Events)
        );
    }
    assert_eq!(injected.fired(), 2);
    injected.undo();
    let mut observer = Observer::open(&rig, &worker).await;
    input(&rig, &worker).await;
    observer.until("event", "run_finished").await.unwrap();
}

#[tokio::test]
async fn what_is_about_an_event_waits_for_one() {
    let rig = Rig::start().await;
    let worker = rig.worker().await;
    let mut observer = Observer::open(&rig, &worker).await;
    let injected = rig.link.inject(Fault::EventTwice);
    assert_eq!(injected.fired(), 0);
    input(&rig, &worker).await;
    observer.until("event", "run_finished").await.unwrap();
    assert_eq!(
        (injected.fired(), observer.twice),
        (1, 1),
        "once to each stream"
    );
}
