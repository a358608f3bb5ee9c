//! What counts as having happened, and what does not.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use tokio::time::timeout;
use yoi_client::{Call, FrameStream};
use yoi_protocol::{Api, Code, CreateWorker, Event, InputRequest, Operation, StreamEnd, WorkerId};
use yoi_testkit::{
    FakeRuntime, Fault, FaultProxy, InjectedFault, RawPeer, RuntimeFaults, Step, TestRuntime,
};

use crate::rig::{PATIENCE, Rig};

/// What a panic says.
fn said(panic: Box<dyn std::any::Any + Send>) -> String {
    panic.downcast_ref::<String>().unwrap().clone()
}

/// How the guard of a fault fails the test as it is dropped.
fn dropped<T>(guard: T) -> String {
    said(std::panic::catch_unwind(AssertUnwindSafe(|| drop(guard))).unwrap_err())
}

/// The guard of a fault that did not happen.
fn never(injected: InjectedFault) {
    assert_eq!(injected.fired(), 0);
    let told = dropped(injected);
    assert!(told.contains(" never happened on the link"), "{told}");
}

#[tokio::test]
async fn what_needs_a_worker_a_stream_or_a_name_does_not_happen_to_a_look_at_the_runtime() {
    let runtime = TestRuntime::builder("gpu-1").start().await;
    let link = FaultProxy::to(&runtime).await;
    let client = link.client_builder().build().unwrap();
    for fault in [Fault::UpgradeStripped, Fault::AnotherWorkersAnswer] {
        let injected = link.inject(fault);
        client.runtime_info(&Call::default()).await.unwrap();
        never(injected);
    }
    let injected = link.inject(Fault::AnotherRuntimesBody);
    let told = client.runtime_info(&Call::default()).await.unwrap();
    assert_eq!(told.value.runtime_id.as_str(), "somebody-else");
    assert_eq!(injected.fired(), 1);
}

#[tokio::test]
async fn an_answer_without_the_name_cannot_be_about_another() {
    let rig = Rig::start().await;
    let nobody = WorkerId::parse("w-1").unwrap();
    let injected = rig.link.inject(Fault::AnotherRuntimesBody);
    // There is no Worker yet that could be another Runtime's.
    rig.ask(Operation::ListWorkers, &nobody).await.unwrap();
    never(injected);
}

#[tokio::test]
async fn an_answer_that_nobody_gave_is_not_spoiled() {
    let rig = Rig::start().await;
    let worker = rig.worker().await;
    rig.runtime.kill().await;
    for fault in [Fault::TruncatedJson, Fault::NoHead, Fault::AnonymousAnswer] {
        let injected = rig.link.inject(fault.first(1));
        let told = rig.ask(Operation::GetWorker, &worker).await.unwrap_err();
        assert_eq!(told.code, Code::RuntimeUnreachable);
        never(injected);
    }
}

#[tokio::test]
async fn a_silence_has_happened_when_something_was_not_heard() {
    let rig = Rig::start().await;
    let workers = rig.link.client_builder().idle(Duration::from_secs(60));
    let workers = workers.build().unwrap().workers(Api::Runtime);
    for fault in [Fault::NoPong, Fault::HalfOpen] {
        let worker = rig.worker().await;
        let mut stream = workers
            .events(&worker, None, &Call::default())
            .await
            .unwrap();
        until_caught_up(&mut stream).await;
        let injected = rig.link.inject(fault);
        if fault == Fault::NoPong {
            // The stream has met it for sure when what comes after has passed.
            let twice = rig.link.inject(Fault::EventTwice);
            send(&rig, &worker).await;
            twice.until_fired(1).await;
            assert_eq!(injected.fired(), 0, "nobody has pinged yet");
            never(injected);
        } else {
            send(&rig, &worker).await;
            injected.until_fired(1).await;
        }
    }
}

#[tokio::test]
async fn two_faults_of_events_come_one_after_the_other_and_lose_nothing() {
    let rig = Rig::start().await;
    let worker = rig.worker().await;
    let workers = rig.link.client_builder().build().unwrap();
    let workers = workers.workers(Api::Runtime);
    let mut stream = workers
        .events(&worker, None, &Call::default())
        .await
        .unwrap();
    until_caught_up(&mut stream).await;
    let swapped = rig.link.inject(Fault::EventsSwapped);
    let twice = rig.link.inject(Fault::EventTwice);
    send(&rig, &worker).await;
    let mut seqs = Vec::new();
    while seqs.len() < 6 {
        let next = timeout(PATIENCE, stream.next()).await.unwrap();
        seqs.extend(next.unwrap().seq());
    }
    // After the snapshot; what was swapped and what came twice.
    assert_eq!(seqs, [3, 2, 4, 4, 5, 6]);
    assert_eq!((swapped.fired(), twice.fired()), (1, 1));
}

#[tokio::test]
async fn a_swap_with_nothing_has_not_happened_and_loses_nothing() {
    let fake = FakeRuntime::start("gpu-1").await;
    let link = FaultProxy::to(&fake).await;
    let mut observers = fake.events();
    let workers = link.client_builder().build().unwrap();
    let workers = workers.workers(Api::Runtime);
    let (worker, call) = (WorkerId::parse("w-1").unwrap(), Call::default());
    let (stream, mut observer) = tokio::join!(workers.events(&worker, None, &call), async {
        let mut observer = observers.accept().await;
        observer.begin().await;
        observer
    });
    let mut stream = stream.unwrap();
    until_caught_up(&mut stream).await;
    let swapped = link.inject(Fault::EventsSwapped);
    let last = Event::WorkerStopped { reason: None };
    observer.event(7, last).await;
    observer.end(&StreamEnd::Complete).await;
    let late = timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
    assert_eq!(late.seq(), Some(7));
    let end = timeout(PATIENCE, stream.next()).await.unwrap();
    assert_eq!(end.unwrap_err(), StreamEnd::Complete);
    never(swapped);
}

#[tokio::test]
async fn so_often_means_so_often() {
    let rig = Rig::start().await;
    let worker = rig.worker().await;
    let injected = rig.link.inject(Fault::Uncoded(500).first(2));
    rig.ask(Operation::GetWorker, &worker).await.unwrap_err();
    let told = dropped(injected);
    assert!(
        told.starts_with("uncoded 500 happened once, and not 2 times, on the link to gpu-1"),
        "{told}"
    );
}

#[tokio::test]
#[should_panic(expected = "the first 0 of something")]
async fn the_first_none_of_something_is_nothing() {
    let rig = Rig::start().await;
    drop(rig.link.inject(Fault::NoHead.first(0)));
}

#[tokio::test]
async fn one_harm_ends_and_the_other_goes_on() {
    let insides = RuntimeFaults::new().operation_timeout(PATIENCE);
    let runtime = insides.runtime("gpu-1").start().await;
    let workers = runtime.workers();
    let create = async || {
        let made = workers
            .create(&CreateWorker::default(), &Call::default())
            .await;
        made.map(drop).map_err(|error| error.failure.code)
    };
    let clock = insides.inject(Fault::ClockLeapsAhead, &runtime).await;
    let store = insides.inject(Fault::StoreRefuses, &runtime).await;
    assert_eq!(create().await, Err(Code::StoreFailed));
    let refused = store.fired();
    assert!(clock.fired() > 0 && refused == 1, "each counts its own");
    drop(clock);
    assert_eq!(create().await, Err(Code::StoreFailed), "only one has ended");
    // The first of two of a kind happens; the next one when it is over.
    let second = insides.inject(Fault::StoreRefuses, &runtime).await;
    assert_eq!(create().await, Err(Code::StoreFailed));
    assert_eq!((store.fired(), second.fired()), (3, 0));
    drop(store);
    assert_eq!(create().await, Err(Code::StoreFailed));
    assert_eq!(second.fired(), 1);
    drop(second);
    assert_eq!(create().await, Ok(()));
}

#[tokio::test]
async fn a_limit_is_met_until_it_is_undone_not_dropped() {
    let insides = RuntimeFaults::new().operation_timeout(PATIENCE);
    let runtime = insides.runtime("gpu-1").start().await;
    let workers = runtime.workers();
    let create = async || {
        let made = workers
            .create(&CreateWorker::default(), &Call::default())
            .await;
        made.map(drop).map_err(|error| error.failure.code)
    };
    insides
        .inject(Fault::WorkersAtLimit, &runtime)
        .await
        .undo()
        .await;
    assert_eq!(create().await, Ok(()));
    drop(insides.inject(Fault::WorkersAtLimit, &runtime).await);
    assert_eq!(create().await, Err(Code::LimitReached));
}

#[tokio::test]
async fn a_script_that_nobody_came_for_fails_the_test() {
    let script = vec![Step::Hear, Step::say("hello"), Step::Close];
    let peer = RawPeer::start("gpu-1", script.clone()).await;
    assert_eq!(dropped(peer), "nobody came to the peer gpu-1");
    let peer = RawPeer::start_each("gpu-1", [script.clone(), script.clone()]).await;
    hear(&peer).await;
    assert_eq!(
        dropped(peer),
        "the peer gpu-1 has a script for each of 2 connections, and 1 came"
    );
    drop(RawPeer::start("gpu-1", script).await.any_times());
}

/// Asks a peer, and reads all that it says.
async fn hear(peer: &RawPeer) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(peer.address())
        .await
        .unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    assert_eq!(told, "hello");
}

async fn send(rig: &Rig, worker: &WorkerId) {
    let workers = rig.runtime.workers();
    let sent = workers
        .input(worker, &InputRequest::new("hi"), &Call::default())
        .await;
    sent.unwrap();
}

async fn until_caught_up(stream: &mut FrameStream) {
    loop {
        let frame = timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
        if frame.payload_type("control").as_deref() == Some("caught_up") {
            return;
        }
    }
}
