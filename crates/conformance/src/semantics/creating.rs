//! How Workers come to be.

use yoi_protocol::{
    Code, ConfigBundle, CreateWorker, Intent, IntentKind, Reference, RequestedCapability, Worker,
    WorkerStatus,
};

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{Verdict, at_field, holds, refused_without_effect, same};

checks! { Bench, "create";
    answers_with_the_worker: "a create answers with the Worker, idle and empty, as a read then shows it";
    generates_an_id: "a Worker without an id gets one of its own: w- and a UUIDv7";
    keeps_what_it_was_told: "display_name, intent and labels are kept and shown";
    id_is_taken_once: "an id that is taken is worker_already_exists, also of a stopped Worker";
    unknown_profile_is_refused: "an unknown profile is invalid_request at /profile";
    display_name_is_bounded: "a display_name has 1 to 128 characters, none a control character";
    refuses_what_it_cannot_grant: "references, capabilities and bundles are granted or operation_unsupported, never dropped";
    refused_changes_nothing: "a create that is refused leaves no Worker behind";
}

async fn answers_with_the_worker(bench: &Bench) -> Verdict {
    let body = bench.body();
    let worker = bench.create(&body).await?;
    same(
        "worker_id",
        Some(&worker.worker_id),
        body.worker_id.as_ref(),
    )?;
    same("runtime_id", &worker.runtime_id, &bench.info().runtime_id)?;
    same("status", worker.status, WorkerStatus::Idle)?;
    same("transcript_length", worker.transcript_length, 0)?;
    same("active_run", &worker.active_run, &None)?;
    same("last_run", &worker.last_run, &None)?;
    if let Some(profile) = &body.profile {
        same("profile", &worker.profile, profile)?;
    }
    same(
        "display_ref",
        &worker.display_ref,
        &reference(bench, &worker),
    )?;
    same(
        "the worker, read",
        bench.get(&worker.worker_id).await?,
        worker,
    )
}

/// The name of a Worker at that of its Runtime; who has no name is called by its id.
fn reference(bench: &Bench, worker: &Worker) -> String {
    let info = bench.info();
    let name = worker.display_name.as_deref();
    let runtime = info.display_name.as_deref();
    format!(
        "{}@{}",
        name.unwrap_or(worker.worker_id.as_str()),
        runtime.unwrap_or(info.runtime_id.as_str())
    )
}

async fn generates_an_id(bench: &Bench) -> Verdict {
    let body = CreateWorker {
        worker_id: None,
        ..bench.body()
    };
    let one = bench.create(&body).await?.worker_id;
    bench.own(&one);
    let other = bench.create(&body).await?.worker_id;
    bench.own(&other);
    holds(one != other, || format!("two workers are called {one}"))?;
    for id in [one, other] {
        let is_v7 = id.as_str().strip_prefix("w-").is_some_and(is_uuid_v7);
        holds(is_v7, || format!("{id} is not w- and a UUIDv7"))?;
    }
    Ok(())
}

/// Whether a text is a UUID of version 7, in lower-case hex.
fn is_uuid_v7(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        && text.as_bytes().get(14) == Some(&b'7')
}

async fn keeps_what_it_was_told(bench: &Bench) -> Verdict {
    let mut intent = Intent {
        kind: IntentKind::Task,
        more: serde_json::Map::new(),
    };
    intent
        .more
        .insert("goal".into(), serde_json::json!({"of": [1, "two"]}));
    let body = CreateWorker {
        display_name: Some("Prüfling 1".to_owned()),
        labels: [("team".to_owned(), "blue".to_owned())].into(),
        intent: Some(intent),
        ..bench.body()
    };
    let created = bench.create(&body).await?;
    for worker in [bench.get(&created.worker_id).await?, created] {
        same("display_name", &worker.display_name, &body.display_name)?;
        same("labels", &worker.labels, &body.labels)?;
        same("intent", &worker.intent, &body.intent)?;
        same(
            "display_ref",
            &worker.display_ref,
            &reference(bench, &worker),
        )?;
    }
    Ok(())
}

async fn id_is_taken_once(bench: &Bench) -> Verdict {
    let body = bench.body();
    let worker = bench.create(&body).await?;
    let again = bench.subject().create(&body, None).await;
    refused_without_effect("a second create", again, Code::WorkerAlreadyExists)?;
    bench.stop(&worker.worker_id).await?;
    let again = bench.subject().create(&body, None).await;
    refused_without_effect("a create after the stop", again, Code::WorkerAlreadyExists)?;
    Ok(())
}

async fn unknown_profile_is_refused(bench: &Bench) -> Verdict {
    for profile in ["conformance-none-such", "/bin/sh"] {
        let body = CreateWorker {
            profile: Some(profile.to_owned()),
            ..bench.body()
        };
        let answer = bench.subject().create(&body, None).await;
        let asked = format!("a create with the profile {profile:?}");
        let failure = refused_without_effect(asked, answer, Code::InvalidRequest)?;
        at_field(&failure, "/profile")?;
    }
    Ok(())
}

async fn display_name_is_bounded(bench: &Bench) -> Verdict {
    for name in [String::new(), "x".repeat(129), "a\u{7}b".to_owned()] {
        let body = CreateWorker {
            display_name: Some(name),
            ..bench.body()
        };
        let answer = bench.subject().create(&body, None).await;
        let asked = "a create with a wrong display_name";
        let failure = refused_without_effect(asked, answer, Code::InvalidRequest)?;
        at_field(&failure, "/display_name")?;
    }
    let longest = CreateWorker {
        display_name: Some("ü".repeat(128)),
        ..bench.body()
    };
    bench.create(&longest).await?;
    Ok(())
}

async fn refuses_what_it_cannot_grant(bench: &Bench) -> Verdict {
    let none_such = "conformance-none-such".to_owned();
    let reference = || Reference {
        name: none_such.clone(),
        reference: none_such.clone(),
    };
    let capability = RequestedCapability {
        name: none_such.clone(),
        reason: None,
    };
    let bundle = ConfigBundle {
        id: none_such.clone(),
        digest: none_such.clone(),
    };
    let ask_for = |tell: &dyn Fn(&mut CreateWorker)| {
        let mut body = bench.body();
        tell(&mut body);
        body
    };
    for (what, body) in [
        (
            "a config_bundle",
            ask_for(&|body| body.config_bundle = Some(bundle.clone())),
        ),
        (
            "a capability",
            ask_for(&|body| body.requested_capabilities = vec![capability.clone()]),
        ),
        (
            "a workspace",
            ask_for(&|body| body.workspace_refs = vec![reference()]),
        ),
        (
            "a mount",
            ask_for(&|body| body.mount_refs = vec![reference()]),
        ),
    ] {
        let answer = bench.subject().create(&body, None).await;
        let asked = format!("a create that asks for {what} that is not there");
        refused_without_effect(asked, answer, Code::OperationUnsupported)?;
    }
    Ok(())
}

async fn refused_changes_nothing(bench: &Bench) -> Verdict {
    let body = CreateWorker {
        profile: Some("conformance-none-such".to_owned()),
        ..bench.body()
    };
    let answer = bench.subject().create(&body, None).await;
    refused_without_effect("a create", answer, Code::InvalidRequest)?;
    let Some(worker_id) = &body.worker_id else {
        return Ok(());
    };
    let got = bench.subject().get(worker_id).await;
    crate::unmet::refused("reading what was refused", got, Code::WorkerNotFound)?;
    Ok(())
}
