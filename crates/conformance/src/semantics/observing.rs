//! What observers see, and in which order.

use yoi_protocol::{Event, EventFrame, Frame, Outcome, StreamEnd, WorkerStatus};

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{Verdict, broken, ending, holds, same};
use crate::watch::{event, events, kind};

checks! { Bench, "events";
    begin_with_a_snapshot: "without a cursor the first frame is a snapshot of the Worker, then caught_up";
    snapshot_has_the_transcript: "the snapshot has the latest entries, and stands for all that was before";
    tell_a_run_in_order: "an observer sees the input first, then the run, its entries before its one end, then that the Worker is idle, numbered without a hole";
    are_the_same_for_all: "two observers of a Worker see the same events under the same numbers and cursors";
    end_with_the_worker: "an observation of a stopped Worker tells what there is, and is then complete";
    are_those_of_the_transcript: "what events say was said is what the transcript says";
}

async fn begin_with_a_snapshot(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let (mut watch, snapshot) = bench.watch(&worker_id).await?;
    same(
        "the worker",
        &snapshot.worker,
        &bench.get(&worker_id).await?,
    )?;
    same("the entries", snapshot.transcript.len(), 0)?;
    same("first_sequence", snapshot.first_sequence, 1)?;
    let (events, in_flight) = watch.past().await?;
    same("the events between snapshot and caught_up", events.len(), 0)?;
    let says_nothing = in_flight.is_none();
    holds(says_nothing, || {
        "something is in flight of an idle worker".to_owned()
    })
}

async fn snapshot_has_the_transcript(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    bench.run(&worker_id).await?;
    let (_, snapshot) = bench.watch(&worker_id).await?;
    let query = yoi_protocol::TranscriptQuery::default();
    let whole = bench.subject().transcript(&worker_id, &query).await;
    let whole = whole.map_err(|failure| crate::unmet::unexpected("a transcript", &failure))?;
    same(
        "the entries of the snapshot",
        &snapshot.transcript,
        &whole.entries,
    )?;
    same(
        "the worker",
        &snapshot.worker,
        &bench.get(&worker_id).await?,
    )?;
    let mut resumed = bench.resume(&worker_id, &snapshot.cursor).await?;
    let (events, _) = resumed.past().await?;
    same("the events after a snapshot's cursor", events.len(), 0)
}

async fn tell_a_run_in_order(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let (mut watch, snapshot) = bench.watch(&worker_id).await?;
    watch.past().await?;
    let accepted = bench.input(&worker_id).await?;
    let mut seen = watch.until_finished().await?;
    let is_idle = |frame: &Frame| {
        matches!(
            event(frame),
            Some(Event::StatusChanged {
                status: WorkerStatus::Idle
            })
        )
    };
    seen.extend(watch.until(is_idle).await?);
    let told = events(&seen);
    let Some(first) = told.first() else {
        return Err(broken("a run without an event"));
    };
    same(
        "the first event",
        kind(&first.event).as_str(),
        "input_accepted",
    )?;
    same("its seq", first.seq, snapshot.seq.saturating_add(1))?;
    same("its cursor", &first.cursor, &accepted.cursor)?;
    let at = |name: &str| told.iter().position(|one| kind(&one.event) == name);
    let (started, finished) = (at("run_started"), at("run_finished"));
    holds(started.is_some() && started < finished, || {
        "run_started does not come before run_finished".to_owned()
    })?;
    let ends = told.iter().filter(|one| kind(&one.event) == "run_finished");
    same("how often the run finished", ends.count(), 1)?;
    let said = told
        .iter()
        .rposition(|one| kind(&one.event) == "entry_appended");
    holds(said < finished, || {
        "an entry comes after run_finished".to_owned()
    })?;
    for one in &told {
        if let Some(run_id) = run_of(one) {
            same("the run of an event", run_id, &accepted.run_id)?;
        }
    }
    let ended = told.iter().find_map(|one| match &one.event {
        Event::RunFinished { outcome, .. } => Some(*outcome),
        _ => None,
    });
    holds(ended != Some(Outcome::Cancelled), || {
        "the run was cancelled, and nobody asked for it".to_owned()
    })
}

fn run_of(frame: &EventFrame) -> Option<&yoi_protocol::RunId> {
    match &frame.event {
        Event::InputAccepted { entry } | Event::EntryAppended { entry } => Some(&entry.run_id),
        Event::RunStarted { run_id }
        | Event::ToolCallStarted { run_id, .. }
        | Event::ToolCallFinished { run_id, .. }
        | Event::ToolResult { run_id, .. }
        | Event::Usage { run_id, .. }
        | Event::RunFinished { run_id, .. } => Some(run_id),
        Event::Snapshot { .. }
        | Event::StatusChanged { .. }
        | Event::WorkerStopped { .. }
        | Event::Diagnostic { .. }
        | Event::Unknown(_) => None,
    }
}

async fn are_the_same_for_all(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let (mut one, _) = bench.watch(&worker_id).await?;
    let (mut other, _) = bench.watch(&worker_id).await?;
    one.past().await?;
    other.past().await?;
    bench.input(&worker_id).await?;
    let (first, second) = (one.until_finished().await?, other.until_finished().await?);
    same(
        "what the second observer saw",
        events(&second),
        events(&first),
    )
}

async fn end_with_the_worker(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    bench.run(&worker_id).await?;
    bench.stop(&worker_id).await?;
    let (mut watch, snapshot) = bench.watch(&worker_id).await?;
    same("status", snapshot.worker.status, WorkerStatus::Stopped)?;
    watch.past().await?;
    let end = watch.end().await?;
    holds(end == StreamEnd::Complete, || {
        format!(
            "the observation of a stopped worker ends with {}",
            ending(&end)
        )
    })
}

async fn are_those_of_the_transcript(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let (mut watch, _) = bench.watch(&worker_id).await?;
    watch.past().await?;
    bench.input(&worker_id).await?;
    let seen = watch.until_finished().await?;
    let said: Vec<_> = events(&seen)
        .into_iter()
        .filter_map(|one| match &one.event {
            Event::InputAccepted { entry } | Event::EntryAppended { entry } => Some(entry.clone()),
            _ => None,
        })
        .collect();
    let query = yoi_protocol::TranscriptQuery::default();
    let whole = bench.subject().transcript(&worker_id, &query).await;
    let whole = whole.map_err(|failure| crate::unmet::unexpected("a transcript", &failure))?;
    same("what events say was said", said, whole.entries)
}
