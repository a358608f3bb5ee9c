//! Commands under a key are done once.

use tokio::join;
use yoi_protocol::{
    CancelRequest, Capability, Code, CreateWorker, InputRequest, Operation, StopRequest,
    WorkerStatus,
};

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{Verdict, broken, holds, refused_without_effect, same, unexpected};

checks! { Bench, "idempotency";
    is_honoured_or_refused: "a key is honoured, or refused as operation_unsupported, never ignored";
    replays_a_create: "the same create under the same key gives the first answer again";
    replays_an_input: "the same input under the same key is one run, and gives its first answer again";
    replays_a_cancel: "the same cancel under the same key gives the first answer again, whatever runs by then";
    replays_a_stop: "the same stop under the same key gives the first answer again";
    refuses_another_body: "another body under a used key is idempotency_conflict, and changes nothing";
    is_free_after_a_refusal: "a refused command leaves its key free";
    is_scoped: "one key serves each operation and each Worker by itself";
    joins_what_is_in_flight: "of two that come at once under one key, one is done and both get its answer";
}

async fn is_honoured_or_refused(bench: &Bench) -> Verdict {
    let body = bench.body();
    let created = bench.subject().create(&body, Some(&bench.key())).await;
    if bench.can(&Capability::IDEMPOTENCY) {
        let created = created.map_err(|failure| unexpected("a create under a key", &failure))?;
        return same("replayed", created.replayed, false);
    }
    let asked = "a create under a key, which this runtime does not list";
    let failure = refused_without_effect(asked, created, Code::OperationUnsupported)?;
    let named = failure.details.operation.unwrap_or_default();
    let lacking = [Capability::IDEMPOTENCY, Operation::CreateWorker.into()];
    holds(lacking.iter().any(|one| one.as_str() == named), || {
        format!("operation is {named:?}, and names neither idempotency nor workers.create")
    })
}

async fn replays_a_create(bench: &Bench) -> Verdict {
    bench.needs_keys()?;
    let key = bench.key();
    let body = CreateWorker {
        worker_id: None,
        ..bench.body()
    };
    let mut answers = Vec::new();
    for _ in 0..2 {
        let created = bench.subject().create(&body, Some(&key)).await;
        let created = created.map_err(|failure| unexpected("a create under a key", &failure))?;
        bench.own(&created.value.worker_id);
        answers.push(created);
        // The answer must be the first one, not what the worker is by now.
        if let [first] = answers.as_slice() {
            bench.stop(&first.value.worker_id).await?;
        }
    }
    let [first, second] = answers.as_slice() else {
        return Err(broken("two creates have not two answers"));
    };
    same("the second answer", &second.value, &first.value)?;
    same("replayed, the first time", first.replayed, false)?;
    same("replayed, the second time", second.replayed, true)
}

async fn replays_an_input(bench: &Bench) -> Verdict {
    bench.needs_keys()?;
    let (worker_id, key) = (bench.idle().await?, bench.key());
    let body = InputRequest::new("once");
    let first = bench.subject().input(&worker_id, &body, Some(&key)).await;
    let first = first.map_err(|failure| unexpected("an input under a key", &failure))?;
    bench.until_idle(&worker_id).await?;
    let length = bench.get(&worker_id).await?.transcript_length;
    let second = bench.subject().input(&worker_id, &body, Some(&key)).await;
    let second = second.map_err(|failure| unexpected("the same input again", &failure))?;
    same("the second answer", second.value, first.value)?;
    same("replayed, the second time", second.replayed, true)?;
    let worker = bench.until_idle(&worker_id).await?;
    same("transcript_length", worker.transcript_length, length)
}

async fn replays_a_cancel(bench: &Bench) -> Verdict {
    bench.needs_keys()?;
    let (worker_id, _) = bench.busy().await?;
    let (key, body) = (bench.key(), CancelRequest::default());
    let first = bench.subject().cancel(&worker_id, &body, Some(&key)).await;
    let first = first.map_err(|failure| unexpected("a cancel under a key", &failure))?;
    let next = bench.input(&worker_id).await?;
    let second = bench.subject().cancel(&worker_id, &body, Some(&key)).await;
    let second = second.map_err(|failure| unexpected("the same cancel again", &failure))?;
    same("the second answer", second.value, first.value)?;
    let active = bench.get(&worker_id).await?.active_run;
    same(
        "the run since then",
        active.map(|run| run.run_id),
        Some(next.run_id),
    )
}

async fn replays_a_stop(bench: &Bench) -> Verdict {
    bench.needs_keys()?;
    let (worker_id, key) = (bench.idle().await?, bench.key());
    let body = StopRequest {
        reason: Some("once".to_owned()),
    };
    let first = bench.subject().stop(&worker_id, &body, Some(&key)).await;
    let first = first.map_err(|failure| unexpected("a stop under a key", &failure))?;
    let second = bench.subject().stop(&worker_id, &body, Some(&key)).await;
    let second = second.map_err(|failure| unexpected("the same stop again", &failure))?;
    same("the second answer", second.value, first.value)?;
    same("replayed, the second time", second.replayed, true)
}

async fn refuses_another_body(bench: &Bench) -> Verdict {
    bench.needs_keys()?;
    let (worker_id, key) = (bench.idle().await?, bench.key());
    let first = InputRequest::new("this");
    let accepted = bench.subject().input(&worker_id, &first, Some(&key)).await;
    accepted.map_err(|failure| unexpected("an input under a key", &failure))?;
    let worker = bench.until_idle(&worker_id).await?;
    let other = InputRequest::new("that");
    let answer = bench.subject().input(&worker_id, &other, Some(&key)).await;
    let asked = "another input under the same key";
    refused_without_effect(asked, answer, Code::IdempotencyConflict)?;
    same("the worker", bench.get(&worker_id).await?, worker)
}

async fn is_free_after_a_refusal(bench: &Bench) -> Verdict {
    bench.needs_keys()?;
    let key = bench.key();
    let wrong = CreateWorker {
        profile: Some("conformance-none-such".to_owned()),
        ..bench.body()
    };
    let refusal = bench.subject().create(&wrong, Some(&key)).await;
    refused_without_effect("a create", refusal, Code::InvalidRequest)?;
    let right = bench.body();
    let created = bench.subject().create(&right, Some(&key)).await;
    let created = created.map_err(|failure| unexpected("a create under a freed key", &failure))?;
    same("replayed", created.replayed, false)?;
    let made = Some(created.value.worker_id);
    same("the worker that was created", made, right.worker_id)
}

async fn is_scoped(bench: &Bench) -> Verdict {
    bench.needs_keys()?;
    let key = bench.key();
    let body = bench.body();
    let one = bench.subject().create(&body, Some(&key)).await;
    let one = one.map_err(|failure| unexpected("a create under a key", &failure))?;
    let other = bench.idle().await?;
    let mut runs = Vec::new();
    for worker_id in [&one.value.worker_id, &other] {
        let body = InputRequest::new("the same words");
        let accepted = bench.subject().input(worker_id, &body, Some(&key)).await;
        let accepted =
            accepted.map_err(|failure| unexpected("an input under the same key", &failure))?;
        same("replayed", accepted.replayed, false)?;
        same("worker_id", &accepted.value.worker_id, worker_id)?;
        runs.push(accepted.value.run_id);
        bench.until_idle(worker_id).await?;
    }
    holds(runs.first() != runs.last(), || {
        "one run serves two workers".to_owned()
    })?;
    let stopped = bench
        .subject()
        .stop(&other, &StopRequest::default(), Some(&key))
        .await;
    let stopped = stopped.map_err(|failure| unexpected("a stop under the same key", &failure))?;
    same("status", stopped.value.worker.status, WorkerStatus::Stopped)
}

async fn joins_what_is_in_flight(bench: &Bench) -> Verdict {
    bench.needs_keys()?;
    let (worker_id, key) = (bench.idle().await?, bench.key());
    let body = InputRequest::new("at once");
    let send = || bench.subject().input(&worker_id, &body, Some(&key));
    let (one, other) = join!(send(), send());
    let one = one.map_err(|failure| unexpected("an input under a key", &failure))?;
    let other = other.map_err(|failure| unexpected("the same input at once", &failure))?;
    same("the two answers", &one.value, &other.value)?;
    holds(one.replayed != other.replayed, || {
        "exactly one of two answers is a replay".to_owned()
    })?;
    bench.until_idle(&worker_id).await?;
    let inputs = bench
        .subject()
        .transcript(&worker_id, &yoi_protocol::TranscriptQuery::default())
        .await;
    let inputs = inputs.map_err(|failure| unexpected("a transcript", &failure))?;
    let from_user = |entry: &&yoi_protocol::Entry| entry.role == yoi_protocol::Role::User;
    let count = inputs.entries.iter().filter(from_user).count();
    same("the inputs in the transcript", count, 1)
}
