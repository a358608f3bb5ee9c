//! Which Workers there are, and what they are created from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use worker_runtime::{CommandExecutor, CommandSettings, ProfileSpec, RuntimeError, StartError};
use yoi_protocol::{
    ConfigBundle, CreateWorker, ListQuery, PageToken, Reference, RequestedCapability, WorkerStatus,
};

use crate::common::{
    TestStore, builder, create, id, named, plain, scripted, scripted_with, send, stop,
};

fn pointers(error: &RuntimeError) -> Vec<String> {
    let errors = error.failure().details.errors;
    errors.into_iter().map(|error| error.pointer).collect()
}

#[tokio::test]
async fn a_worker_is_what_it_was_created_from() {
    let runtime = builder().display_name("Home").start().await.unwrap();
    let request: CreateWorker = serde_json::from_str(
        r#"{"worker_id":"w","display_name":"Ann","intent":{"kind":"role","role":"judge"},"labels":{"team":"a"}}"#,
    )
    .unwrap();
    let worker = runtime.create_worker(request, plain()).await.unwrap().value;
    assert_eq!(worker.display_ref, "Ann@Home");
    assert_eq!(worker.profile, "echo");
    assert_eq!(worker.status, WorkerStatus::Idle);
    assert_eq!(worker.intent.as_ref().unwrap().more["role"], "judge");
    assert_eq!(worker.labels["team"], "a");
    assert_eq!(worker.transcript_length, 0);
    assert_eq!(runtime.get_worker(&id("w")).await.unwrap(), worker);

    let unnamed = runtime
        .create_worker(CreateWorker::default(), plain())
        .await
        .unwrap()
        .value;
    assert!(unnamed.worker_id.as_str().starts_with("w-"));
    assert_eq!(unnamed.display_ref, format!("{}@Home", unnamed.worker_id));
}

#[tokio::test]
async fn of_many_creates_of_one_id_exactly_one_wins() {
    let (runtime, _script) = scripted().await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let runtime = runtime.clone();
        all.spawn(async move { runtime.create_worker(named("w"), plain()).await });
    }
    let answers = all.join_all().await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(
        lost.iter()
            .all(|answer| *answer == Err(RuntimeError::WorkerAlreadyExists))
    );
    assert_eq!(runtime.info().workers.total, 1);
}

#[tokio::test]
async fn a_create_waits_for_another_of_the_same_id() {
    let store = TestStore::new();
    let (runtime, _script) = scripted_with(|builder| builder.store(store.clone())).await;
    store.hold();
    let both = async {
        tokio::join!(
            runtime.create_worker(named("w"), plain()),
            runtime.create_worker(named("w"), plain()),
        )
    };
    let ((one, two), ()) = tokio::join!(both, async {
        store.until_held().await;
        // The other has had its turn, too: it must not be writing.
        tokio::task::yield_now().await;
        store.release();
    });
    assert!(one.is_ok() != two.is_ok(), "{one:?} and {two:?}");
    assert_eq!(store.records().len(), 1);
}

#[tokio::test]
async fn a_stopped_worker_keeps_its_id() {
    let (runtime, _script) = scripted().await;
    create(&runtime, "w").await;
    stop(&runtime, "w").await;
    let again = runtime.create_worker(named("w"), plain()).await;
    assert_eq!(again, Err(RuntimeError::WorkerAlreadyExists));
}

#[tokio::test]
async fn an_unknown_profile_is_named() {
    let (runtime, _script) = scripted().await;
    let request = CreateWorker {
        profile: Some("no-such".to_owned()),
        ..named("w")
    };
    let refused = runtime.create_worker(request, plain()).await.unwrap_err();
    assert_eq!(pointers(&refused), ["/profile"]);
}

#[tokio::test]
async fn a_profile_whose_program_is_missing_is_named() {
    let executor = CommandExecutor::new(CommandSettings {
        program: "/canary/no-such-program".to_owned(),
        args: Vec::new(),
        env: BTreeMap::new(),
        kill_grace: Duration::from_secs(1),
    });
    let builder = builder().profile("gone", ProfileSpec::new(executor));
    let runtime = builder.start().await.unwrap();
    let request = CreateWorker {
        profile: Some("gone".to_owned()),
        ..named("w")
    };
    let refused = runtime.create_worker(request, plain()).await.unwrap_err();
    assert_eq!(pointers(&refused), ["/profile"]);
    let told = format!("{:?} {:?}", refused.failure(), runtime.info());
    assert!(!told.contains("canary"), "no path is told: {told}");
    assert_eq!(runtime.info().diagnostics[0].code, "profile_unavailable");
}

#[tokio::test]
async fn what_no_profile_grants_is_refused_not_dropped() {
    let (runtime, _script) = scripted().await;
    let reference = Reference {
        name: "n".to_owned(),
        reference: "r".to_owned(),
    };
    let requests = [
        (
            "/config_bundle",
            CreateWorker {
                config_bundle: Some(ConfigBundle {
                    id: "b".to_owned(),
                    digest: "d".to_owned(),
                }),
                ..named("w")
            },
        ),
        (
            "/requested_capabilities",
            CreateWorker {
                requested_capabilities: vec![RequestedCapability {
                    name: "net".to_owned(),
                    reason: None,
                }],
                ..named("w")
            },
        ),
        (
            "/workspace_refs",
            CreateWorker {
                workspace_refs: vec![reference.clone()],
                ..named("w")
            },
        ),
        (
            "/mount_refs",
            CreateWorker {
                mount_refs: vec![reference],
                ..named("w")
            },
        ),
    ];
    for (pointer, request) in requests {
        let refused = runtime.create_worker(request, plain()).await.unwrap_err();
        assert_eq!(pointers(&refused), [pointer]);
        assert_eq!(
            refused.failure().code,
            yoi_protocol::Code::OperationUnsupported
        );
        assert_eq!(
            refused.failure().details.operation.as_deref(),
            Some("workers.create")
        );
    }
    assert_eq!(runtime.info().workers.total, 0);
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_while_workers_come_and_go() {
    let (runtime, _script) = scripted().await;
    let stays: Vec<String> = (0..20).map(|number| format!("stays-{number:02}")).collect();
    for name in &stays {
        create(&runtime, name).await;
    }
    let mut query = ListQuery {
        limit: Some(3),
        ..ListQuery::default()
    };
    let mut seen = Vec::new();
    for round in 0.. {
        let page = runtime.list_workers(&query).await.unwrap();
        seen.extend(
            page.workers
                .into_iter()
                .map(|worker| worker.worker_id.to_string()),
        );
        // Before, among and after those that stay.
        for prefix in ["a", "stays-05-", "z"] {
            create(&runtime, &format!("{prefix}{round}")).await;
        }
        query.page = page.next_page;
        if query.page.is_none() {
            break;
        }
    }
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "nothing twice");
    assert!(seen.is_sorted());
    assert!(
        stays.iter().all(|name| distinct.contains(name)),
        "nothing skipped"
    );
}

#[tokio::test]
async fn a_list_can_be_of_one_status() {
    let (runtime, _script) = scripted().await;
    for name in ["idle", "running", "stopped"] {
        create(&runtime, name).await;
    }
    send(&runtime, "running", "go").await;
    stop(&runtime, "stopped").await;
    for status in [
        WorkerStatus::Idle,
        WorkerStatus::Running,
        WorkerStatus::Stopped,
    ] {
        let query = ListQuery {
            status: Some(status),
            ..ListQuery::default()
        };
        let page = runtime.list_workers(&query).await.unwrap();
        let names: Vec<_> = page
            .workers
            .iter()
            .map(|worker| worker.worker_id.as_str())
            .collect();
        assert_eq!(names, [status.as_str()]);
    }
    let counts = runtime.info().workers;
    assert_eq!(
        (counts.total, counts.idle, counts.running, counts.stopped),
        (3, 1, 1, 1)
    );
}

#[tokio::test]
async fn a_query_that_cannot_be_is_named() {
    let (runtime, _script) = scripted().await;
    for limit in [0, 1001] {
        let query = ListQuery {
            limit: Some(limit),
            ..ListQuery::default()
        };
        let refused = runtime.list_workers(&query).await.unwrap_err();
        assert_eq!(pointers(&refused), ["/limit"]);
    }
    let query = ListQuery {
        page: Some(PageToken::parse("AAAA").unwrap()),
        ..ListQuery::default()
    };
    let refused = runtime.list_workers(&query).await.unwrap_err();
    assert_eq!(pointers(&refused), ["/page"]);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (runtime, _script) = scripted().await;
    let none = id("none");
    assert_eq!(
        runtime.get_worker(&none).await,
        Err(RuntimeError::WorkerNotFound)
    );
    let input = yoi_protocol::InputRequest::new("x");
    let sent = runtime.send_input(&none, input, plain()).await;
    assert_eq!(sent, Err(RuntimeError::WorkerNotFound));
    let observed = runtime.observe(&none, None).await;
    assert_eq!(observed.err(), Some(RuntimeError::WorkerNotFound));
}

#[tokio::test]
async fn settings_that_make_no_sense_do_not_start() {
    let refused = builder().default_profile("none").start().await.err();
    let name = "none".to_owned();
    assert_eq!(refused, Some(StartError::DefaultProfile { name }));
    let refused = builder().display_name("a\nb").start().await.err();
    assert_eq!(refused, Some(StartError::DisplayName));
}

#[tokio::test]
async fn it_says_what_it_is() {
    let runtime = builder().start().await.unwrap();
    let info = runtime.info();
    let capabilities: Vec<_> = info.capabilities.iter().map(|one| one.as_str()).collect();
    assert_eq!(
        capabilities,
        [
            "workers.list",
            "workers.get",
            "workers.create",
            "workers.input",
            "workers.cancel",
            "workers.stop",
            "workers.transcript",
            "events",
            "idempotency",
        ]
    );
    assert_eq!(
        (info.store.as_str(), info.api_version.as_str()),
        ("memory", "v1")
    );
    assert_eq!(info.profiles[0].name, "echo");
    assert_eq!(&info.boot_id, runtime.boot_id());
    let other = builder().start().await.unwrap();
    assert_ne!(other.boot_id(), runtime.boot_id(), "each start is another");
}
