//! What those read who come later: the Worker, its transcript, its list, and its events anew.

use worker_runtime::Runtime;
use yoi_protocol::{
    Control, Event, Frame, ListQuery, RunId, TranscriptQuery, Worker, WorkerId, WorkerStatus,
};

use super::model::{Model, WorkerModel};
use super::watcher::Watcher;

/// Everything that is told of one Worker is what its model and its first reader say.
pub(crate) async fn check(
    runtime: &Runtime,
    id: &WorkerId,
    model: &WorkerModel,
    watcher: &Watcher,
    runs: &[RunId],
) {
    let worker = runtime.get_worker(id).await.unwrap();
    check_worker(&worker, model, runs);
    check_transcript(runtime, id, model, runs).await;
    check_snapshot(runtime, &worker, model).await;
    check_resumed(runtime, id, model, watcher).await;
}

fn check_worker(worker: &Worker, model: &WorkerModel, runs: &[RunId]) {
    assert_eq!(worker.status, model.status());
    assert_eq!(worker.transcript_length, model.transcript().len() as u64);
    let active = worker.active_run.as_ref().map(|run| &run.run_id);
    assert_eq!(active, model.active.map(|run| &runs[run]));
    let last = worker.last_run.as_ref().map(|run| {
        let code = run.error.as_ref().map(|error| error.code.as_str());
        (&run.run_id, run.outcome, code)
    });
    assert_eq!(
        last,
        model
            .last
            .map(|(run, outcome, code)| (&runs[run], outcome, code))
    );
}

async fn check_transcript(runtime: &Runtime, id: &WorkerId, model: &WorkerModel, runs: &[RunId]) {
    let (mut entries, mut after) = (Vec::new(), None);
    loop {
        let query = TranscriptQuery {
            after,
            limit: Some(3),
        };
        let page = runtime.transcript(id, &query).await.unwrap();
        assert_eq!(page.first_sequence, 1);
        entries.extend(page.entries);
        after = page.next_after;
        if after.is_none() {
            break;
        }
    }
    let sequences = entries.iter().map(|entry| entry.sequence);
    assert!(sequences.eq(1..=entries.len() as u64), "{entries:?}");
    let entries = entries
        .into_iter()
        .map(|entry| (entry.role, entry.run_id, entry.content));
    let expected = model.transcript().into_iter();
    let expected = expected.map(|(role, run, content)| (role, runs[run].clone(), content));
    assert_eq!(entries.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

/// Without a cursor: one snapshot that stands for everything, then what is being said.
async fn check_snapshot(runtime: &Runtime, worker: &Worker, model: &WorkerModel) {
    let mut observation = runtime.observe(&worker.worker_id, None).await.unwrap();
    let mut next = async || observation.next().await.map(|frame| parse(&frame.text));
    let Ok(Frame::Event(first)) = next().await else {
        panic!("no event at first")
    };
    assert_eq!(first.seq, model.events.len() as u64);
    let Event::Snapshot {
        worker: shown,
        transcript,
        ..
    } = first.event
    else {
        panic!("no snapshot at first")
    };
    assert_eq!(*shown, *worker);
    assert_eq!(transcript.len(), model.transcript().len());
    let Ok(Frame::Control(second)) = next().await else {
        panic!("no control after it")
    };
    let Control::CaughtUp { in_flight } = second.control else {
        panic!("not caught up")
    };
    let said = in_flight.map(|said| said.text).unwrap_or_default();
    assert_eq!(said, model.said);
}

/// With the cursor of any event: all that came after it, to the byte, under the same cursors.
async fn check_resumed(runtime: &Runtime, id: &WorkerId, model: &WorkerModel, watcher: &Watcher) {
    // The first, the last, and one between them.
    let length = watcher.events.len();
    for from in [0, length / 2, length - 1] {
        let cursor = &watcher.events[from].1;
        let mut observation = runtime.observe(id, Some(cursor.as_str())).await.unwrap();
        for expected in &watcher.events[from + 1..] {
            let frame = observation.next().await.unwrap();
            let Frame::Event(frame) = parse(&frame.text) else {
                panic!("no event")
            };
            assert_eq!((&frame.event, &frame.cursor), (&expected.0, &expected.1));
        }
        let frame = observation.next().await.unwrap();
        assert!(matches!(parse(&frame.text), Frame::Control(_)));
        assert_eq!(
            observation.try_next().is_some(),
            model.is_stopped,
            "then it is live, or over"
        );
    }
}

/// The lists and the counts have each Worker once, by its status.
pub(crate) async fn check_lists(runtime: &Runtime, model: &Model, name: impl Fn(u8) -> WorkerId) {
    let statuses = [
        WorkerStatus::Idle,
        WorkerStatus::Running,
        WorkerStatus::Stopped,
    ];
    for status in [None].into_iter().chain(statuses.map(Some)) {
        let query = ListQuery {
            status,
            ..ListQuery::default()
        };
        let page = runtime.list_workers(&query).await.unwrap();
        let listed = page
            .workers
            .into_iter()
            .map(|worker| (worker.worker_id, worker.status));
        let expected = model
            .workers
            .iter()
            .map(|(number, one)| (name(*number), one.status()));
        let expected = expected.filter(|(_, one)| status.is_none_or(|status| status == *one));
        assert_eq!(listed.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
    let counted = |status| {
        let alike = model
            .workers
            .values()
            .filter(|worker| worker.status() == status);
        alike.count() as u64
    };
    let counts = runtime.info().workers;
    assert_eq!(
        statuses.map(counted),
        [counts.idle, counts.running, counts.stopped]
    );
    assert_eq!(counts.total, model.workers.len() as u64);
}

fn parse(text: &[u8]) -> Frame {
    serde_json::from_slice(text).unwrap()
}
