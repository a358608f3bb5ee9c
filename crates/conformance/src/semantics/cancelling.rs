//! Ending a run.

use yoi_protocol::{CancelRequest, Code, Outcome, RunId, WorkerStatus};

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{Verdict, at_field, refused_without_effect, same};

checks! { Bench, "cancel";
    ends_the_active_run: "a cancel ends the active run, says which, and leaves the Worker idle";
    ends_the_run_it_names: "a cancel with run_id ends that run";
    spares_other_runs: "a cancel with another run_id ends nothing, and is no error";
    of_an_idle_worker_does_nothing: "a cancel without an active run is a success without cancelled_run_id";
    of_a_stopped_worker_does_nothing: "a cancel of a stopped Worker is a success without cancelled_run_id";
    leaves_the_worker_usable: "a Worker whose run was cancelled takes the next input";
    reason_is_bounded: "a reason over 1024 characters is invalid_request at /reason";
}

async fn ends_the_active_run(bench: &Bench) -> Verdict {
    let (worker_id, accepted) = bench.busy().await?;
    let body = CancelRequest {
        reason: Some("a conformance check".to_owned()),
        ..CancelRequest::default()
    };
    let cancelled = bench.cancel(&worker_id, &body).await?;
    let run = Some(&accepted.run_id);
    same("cancelled_run_id", cancelled.cancelled_run_id.as_ref(), run)?;
    for worker in [cancelled.worker, bench.get(&worker_id).await?] {
        same("status", worker.status, WorkerStatus::Idle)?;
        same("active_run", &worker.active_run, &None)?;
        let last = worker.last_run.map(|last| (last.run_id, last.outcome));
        let expected = (accepted.run_id.clone(), Outcome::Cancelled);
        same("last_run", last, Some(expected))?;
    }
    Ok(())
}

async fn ends_the_run_it_names(bench: &Bench) -> Verdict {
    let (worker_id, accepted) = bench.busy().await?;
    let body = CancelRequest {
        run_id: Some(accepted.run_id.clone()),
        reason: None,
    };
    let cancelled = bench.cancel(&worker_id, &body).await?;
    let ended = cancelled.cancelled_run_id;
    same("cancelled_run_id", ended, Some(accepted.run_id))?;
    same("status", cancelled.worker.status, WorkerStatus::Idle)
}

async fn spares_other_runs(bench: &Bench) -> Verdict {
    let (worker_id, accepted) = bench.busy().await?;
    let body = CancelRequest {
        run_id: RunId::parse("run-of-somebody-else").ok(),
        reason: None,
    };
    let cancelled = bench.cancel(&worker_id, &body).await?;
    same("cancelled_run_id", &cancelled.cancelled_run_id, &None)?;
    let active = cancelled.worker.active_run.map(|run| run.run_id);
    same("the active run", active, Some(accepted.run_id))
}

async fn of_an_idle_worker_does_nothing(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let cancelled = bench.cancel(&worker_id, &CancelRequest::default()).await?;
    same("cancelled_run_id", &cancelled.cancelled_run_id, &None)?;
    same("status", cancelled.worker.status, WorkerStatus::Idle)?;
    same("last_run", &cancelled.worker.last_run, &None)
}

async fn of_a_stopped_worker_does_nothing(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    bench.stop(&worker_id).await?;
    let cancelled = bench.cancel(&worker_id, &CancelRequest::default()).await?;
    same("cancelled_run_id", &cancelled.cancelled_run_id, &None)?;
    same("status", cancelled.worker.status, WorkerStatus::Stopped)
}

async fn leaves_the_worker_usable(bench: &Bench) -> Verdict {
    let (worker_id, first) = bench.busy().await?;
    bench.cancel(&worker_id, &CancelRequest::default()).await?;
    let length = bench.get(&worker_id).await?.transcript_length;
    let second = bench.input(&worker_id).await?;
    same("its sequence", second.sequence, length.saturating_add(1))?;
    let cancelled = bench.cancel(&worker_id, &CancelRequest::default()).await?;
    same(
        "cancelled_run_id",
        cancelled.cancelled_run_id,
        Some(second.run_id.clone()),
    )?;
    crate::unmet::holds(first.run_id != second.run_id, || {
        format!("two runs are called {}", first.run_id)
    })
}

async fn reason_is_bounded(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let body = CancelRequest {
        run_id: None,
        reason: Some("x".repeat(1025)),
    };
    let answer = bench.subject().cancel(&worker_id, &body, None).await;
    let failure = refused_without_effect("a cancel", answer, Code::InvalidRequest)?;
    at_field(&failure, "/reason")
}
