//! Stopping a Worker for good.

use yoi_protocol::{Event, ListQuery, Outcome, StopRequest, StreamEnd, WorkerStatus};

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{Verdict, broken, ending, holds, same, unexpected};
use crate::watch::{events, kind};

checks! { Bench, "stop";
    is_final_and_can_be_repeated: "a stop answers with the stopped Worker, and again the same";
    ends_the_active_run: "a stop cancels the active run, and answers once that is done";
    is_told_last: "observers see run_finished, status_changed, worker_stopped, in this order, and then the end";
    keeps_what_was_said: "a stopped Worker keeps its transcript, and is still listed";
}

async fn is_final_and_can_be_repeated(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let first = bench.stop(&worker_id).await?;
    same("status", first.status, WorkerStatus::Stopped)?;
    same("the worker, read", &bench.get(&worker_id).await?, &first)?;
    let again = bench.stop(&worker_id).await?;
    same("the worker, stopped again", again, first)
}

async fn ends_the_active_run(bench: &Bench) -> Verdict {
    let (worker_id, accepted) = bench.busy().await?;
    let stopped = bench.stop(&worker_id).await?;
    for worker in [stopped, bench.get(&worker_id).await?] {
        same("status", worker.status, WorkerStatus::Stopped)?;
        same("active_run", &worker.active_run, &None)?;
        let last = worker.last_run.map(|last| (last.run_id, last.outcome));
        let expected = (accepted.run_id.clone(), Outcome::Cancelled);
        same("last_run", last, Some(expected))?;
    }
    Ok(())
}

async fn is_told_last(bench: &Bench) -> Verdict {
    let (worker_id, accepted) = bench.busy().await?;
    let (mut watch, _) = bench.watch(&worker_id).await?;
    watch.past().await?;
    let body = StopRequest {
        reason: Some("it is enough".to_owned()),
    };
    let stopped = bench.subject().stop(&worker_id, &body, None).await;
    stopped.map_err(|failure| unexpected("a stop", &failure))?;
    let is_last = |frame: &_| {
        let event = crate::watch::event(frame);
        matches!(event, Some(Event::WorkerStopped { .. }))
    };
    let seen = watch.until(is_last).await?;
    let told: Vec<&Event> = events(&seen).into_iter().map(|one| &one.event).collect();
    let [.., finished, changed, last] = told.as_slice() else {
        return Err(broken(format!(
            "only {} events told of the stop",
            told.len()
        )));
    };
    let names: Vec<String> = [finished, changed, last].map(|one| kind(one)).into();
    let order = ["run_finished", "status_changed", "worker_stopped"];
    same(
        "the last events",
        &names,
        &order.map(str::to_owned).to_vec(),
    )?;
    if let Event::RunFinished {
        run_id, outcome, ..
    } = finished
    {
        same("the run that finished", run_id, &accepted.run_id)?;
        same("its outcome", *outcome, Outcome::Cancelled)?;
    }
    if let Event::StatusChanged { status } = changed {
        same("the status", *status, WorkerStatus::Stopped)?;
    }
    if let Event::WorkerStopped { reason } = last {
        same("the reason", reason, &body.reason)?;
    }
    let end = watch.end().await?;
    holds(end == StreamEnd::Complete, || {
        format!(
            "after worker_stopped the observation ends with {}",
            ending(&end)
        )
    })
}

async fn keeps_what_was_said(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    bench.run(&worker_id).await?;
    let query = yoi_protocol::TranscriptQuery::default();
    let before = bench.subject().transcript(&worker_id, &query).await;
    let before = before.map_err(|failure| unexpected("a transcript", &failure))?;
    bench.stop(&worker_id).await?;
    let after = bench.subject().transcript(&worker_id, &query).await;
    let after = after.map_err(|failure| unexpected("a transcript after the stop", &failure))?;
    same("the transcript", after, before)?;
    let mut page = None;
    loop {
        let query = ListQuery {
            status: Some(WorkerStatus::Stopped),
            limit: Some(1000),
            page,
        };
        let list = bench.subject().list(&query).await;
        let list = list.map_err(|failure| unexpected("a list", &failure))?;
        if list.workers.iter().any(|one| one.worker_id == worker_id) {
            return Ok(());
        }
        page = list.next_page;
        holds(page.is_some(), || format!("no page shows {worker_id}"))?;
    }
}
