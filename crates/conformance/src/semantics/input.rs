//! Inputs, and the runs that they begin.

use tokio::join;
use yoi_protocol::{
    CancelRequest, Code, Cursor, Event, InputRequest, Outcome, Role, StopRequest, TranscriptQuery,
    WorkerStatus,
};

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{
    Verdict, broken, holds, refused, refused_without_effect, same, skipped, unexpected,
};
use crate::watch::event;

checks! { Bench, "input";
    begins_a_run: "an input is accepted with its run, sequence and cursor, and its run ends";
    names_the_users_entry: "sequence and content of an accepted input are those of the user's entry";
    sequences_go_on: "each input takes the next sequence, and each run has an id of its own";
    shows_the_active_run: "while a run is active the Worker is running, and shows which";
    one_run_at_a_time: "an input while a run is active is worker_busy with active_run_id, and changes nothing";
    one_of_two_at_once_wins: "of two inputs that come at once, one is accepted, and the other is worker_busy";
    a_stopped_worker_takes_none: "an input to a stopped Worker is worker_stopped";
    size_is_bounded: "content over max_input_bytes is payload_too_large with limit_bytes";
    nobody_takes_none: "every operation on a Worker that is not there is worker_not_found";
}

/// The largest content that is sent to see that it is refused.
const LARGEST: u64 = 64 << 20;

async fn begins_a_run(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let accepted = bench.input(&worker_id).await?;
    same("worker_id", &accepted.worker_id, &worker_id)?;
    same("runtime_id", &accepted.runtime_id, &bench.info().runtime_id)?;
    same("sequence", accepted.sequence, 1)?;
    let length = accepted.cursor.as_str().len();
    holds(length <= Cursor::RUNTIME_MAX, || {
        format!("the cursor has {length} characters, not at most 128")
    })?;
    let worker = bench.until_idle(&worker_id).await?;
    same("active_run", &worker.active_run, &None)?;
    let Some(last) = worker.last_run else {
        return Err(broken("a run is over, and the worker shows no last_run"));
    };
    same("the run_id of last_run", &last.run_id, &accepted.run_id)?;
    holds(last.finished_at >= accepted.accepted_at, || {
        "the run finished before its input was accepted".to_owned()
    })?;
    let is_told = last.error.is_some() == (last.outcome == Outcome::Failed);
    holds(is_told, || {
        format!(
            "a run that {:?} has the error {:?}",
            last.outcome, last.error
        )
    })
}

async fn names_the_users_entry(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let (mut watch, _) = bench.watch(&worker_id).await?;
    watch.past().await?;
    let content = "zwei\nZeilen \u{1F980}, \"and\" a \\ tab\t.";
    let accepted = bench
        .subject()
        .input(&worker_id, &InputRequest::new(content), None)
        .await;
    let accepted = accepted.map_err(|failure| unexpected("an input", &failure))?;
    let is_input = |frame: &_| matches!(event(frame), Some(Event::InputAccepted { .. }));
    let told = watch.until(is_input).await?.pop();
    let Some(yoi_protocol::Frame::Event(told)) = told else {
        return Err(broken("no input_accepted"));
    };
    same(
        "the cursor of its event",
        &told.cursor,
        &accepted.value.cursor,
    )?;
    let Event::InputAccepted { entry } = told.event else {
        return Err(broken("no input_accepted"));
    };
    same("content", entry.content.as_str(), content)?;
    same("role", entry.role, Role::User)?;
    same("sequence", entry.sequence, accepted.value.sequence)?;
    same("run_id", &entry.run_id, &accepted.value.run_id)?;
    let page = bench
        .subject()
        .transcript(&worker_id, &TranscriptQuery::default())
        .await;
    let page = page.map_err(|failure| unexpected("a transcript", &failure))?;
    same(
        "the first entry of the transcript",
        page.entries.first(),
        Some(&entry),
    )
}

async fn sequences_go_on(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let first = bench.run(&worker_id).await?;
    let length = bench.get(&worker_id).await?.transcript_length;
    let second = bench.run(&worker_id).await?;
    same(
        "the sequence of the second input",
        second.sequence,
        length.saturating_add(1),
    )?;
    holds(first.run_id != second.run_id, || {
        format!("two runs are called {}", first.run_id)
    })
}

async fn shows_the_active_run(bench: &Bench) -> Verdict {
    let (worker_id, accepted) = bench.busy().await?;
    let worker = bench.get(&worker_id).await?;
    same("status", worker.status, WorkerStatus::Running)?;
    let active = worker.active_run.map(|run| run.run_id);
    same("the run_id of active_run", active, Some(accepted.run_id))
}

async fn one_run_at_a_time(bench: &Bench) -> Verdict {
    let (worker_id, accepted) = bench.busy().await?;
    let before = bench.get(&worker_id).await?.transcript_length;
    let body = InputRequest::new("one too many");
    let second = bench.subject().input(&worker_id, &body, None).await;
    let failure = refused_without_effect("a second input", second, Code::WorkerBusy)?;
    let active = failure.details.active_run_id.as_ref();
    same("active_run_id", active, Some(&accepted.run_id))?;
    let worker = bench.get(&worker_id).await?;
    let still = worker.active_run.map(|run| run.run_id);
    same("the active run afterwards", still, Some(accepted.run_id))?;
    same("transcript_length", worker.transcript_length, before)
}

async fn one_of_two_at_once_wins(bench: &Bench) -> Verdict {
    let worker_id = bench.long_idle().await?;
    let body = InputRequest::new("at once");
    let send = || bench.subject().input(&worker_id, &body, None);
    let (won, lost) = match join!(send(), send()) {
        (Ok(won), lost) | (lost, Ok(won)) => (won.value, lost),
        (Err(failure), Err(_)) => return Err(unexpected("each of two inputs", &failure)),
    };
    let failure = refused_without_effect("the other input", lost, Code::WorkerBusy)?;
    let active = failure.details.active_run_id;
    same("active_run_id", active, Some(won.run_id))?;
    let length = bench.get(&worker_id).await?.transcript_length;
    holds(length >= won.sequence, || {
        "the input that won is not in the transcript".to_owned()
    })
}

async fn a_stopped_worker_takes_none(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    bench.stop(&worker_id).await?;
    let body = InputRequest::new("too late");
    let answer = bench.subject().input(&worker_id, &body, None).await;
    refused_without_effect("an input", answer, Code::WorkerStopped)?;
    Ok(())
}

async fn size_is_bounded(bench: &Bench) -> Verdict {
    bench.needs_limit("max_input_bytes")?;
    bench.needs_limit("max_body_bytes")?;
    let limits = &bench.info().limits;
    let size = limits.max_input_bytes.saturating_add(1);
    if size > LARGEST || size.saturating_add(64) > limits.max_body_bytes {
        return Err(skipped(
            "max_input_bytes is too large to try, or too close to max_body_bytes",
        ));
    }
    let worker_id = bench.idle().await?;
    let body = InputRequest::new("x".repeat(usize::try_from(size).unwrap_or(usize::MAX)));
    let answer = bench.subject().input(&worker_id, &body, None).await;
    let failure = refused_without_effect("an input", answer, Code::PayloadTooLarge)?;
    let limit = failure.details.limit_bytes;
    same("limit_bytes", limit, Some(limits.max_input_bytes))?;
    let length = bench.get(&worker_id).await?.transcript_length;
    same("transcript_length", length, 0)
}

async fn nobody_takes_none(bench: &Bench) -> Verdict {
    let nobody = &bench.name();
    let code = Code::WorkerNotFound;
    let subject = bench.subject();
    refused("reading it", subject.get(nobody).await, code)?;
    let input = subject.input(nobody, &InputRequest::new("x"), None).await;
    refused_without_effect("an input", input, code)?;
    let cancel = subject
        .cancel(nobody, &CancelRequest::default(), None)
        .await;
    refused_without_effect("a cancel", cancel, code)?;
    let stop = subject.stop(nobody, &StopRequest::default(), None).await;
    refused_without_effect("a stop", stop, code)?;
    let query = TranscriptQuery::default();
    refused(
        "its transcript",
        subject.transcript(nobody, &query).await,
        code,
    )?;
    if bench.needs_events().is_ok() {
        refused("observing it", subject.events(nobody, None).await, code)?;
    }
    Ok(())
}
