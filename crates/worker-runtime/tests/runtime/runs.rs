//! What an input leads to: one run at a time, its events in order, its deltas without holes.

use crate::common::{
    self, TestStore, contents, create, id, plain, scripted, scripted_with, send, settled,
};
use worker_runtime::{RunEnd, RuntimeError};
use yoi_protocol::{Event, InputRequest, Outcome, Role, WorkerStatus};

#[tokio::test]
async fn echo_answers_with_the_content() {
    let runtime = common::builder().start().await.unwrap();
    create(&runtime, "w").await;
    let content = "Grüße, 世界! ".repeat(50);
    send(&runtime, "w", &content).await;
    let worker = settled(&runtime, "w").await;
    assert_eq!(worker.last_run.unwrap().outcome, Outcome::Completed);
    assert_eq!(contents(&runtime, "w").await, [content.clone(), content]);
}

#[tokio::test]
async fn events_come_in_the_contracts_order() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    let mut watch = common::watch(&runtime, "w", None).await;
    let accepted = send(&runtime, "w", "hello").await;
    let run = script.next_run().await;
    assert_eq!(run.input(), "hello");
    assert_eq!(run.run_id(), &accepted.run_id);
    run.say("hi").await;
    run.end(RunEnd::Completed);
    watch.until_event("run_finished").await;
    watch.until_event("status_changed").await;
    assert_eq!(
        watch.types(),
        [
            "snapshot",
            "input_accepted",
            "run_started",
            "status_changed",
            "entry_appended",
            "run_finished",
            "status_changed",
        ]
    );
    let seqs: Vec<u64> = watch.events().iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(watch.events()[1].cursor, accepted.cursor);
    let worker = runtime.get_worker(&id("w")).await.unwrap();
    assert_eq!(
        (worker.status, worker.transcript_length),
        (WorkerStatus::Idle, 2)
    );
}

#[tokio::test]
async fn a_second_input_is_refused_while_a_run_is_active() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    let accepted = send(&runtime, "w", "one").await;
    let second = runtime
        .send_input(&id("w"), InputRequest::new("two"), plain())
        .await;
    let busy = RuntimeError::WorkerBusy {
        active_run_id: accepted.run_id,
    };
    assert_eq!(second, Err(busy));
    script.next_run().await.end(RunEnd::Completed);
    settled(&runtime, "w").await;
    send(&runtime, "w", "three").await;
    assert_eq!(contents(&runtime, "w").await, ["one", "three"]);
}

#[tokio::test]
async fn of_many_inputs_at_once_exactly_one_is_taken() {
    let (runtime, _script) = scripted().await;
    create(&runtime, "w").await;
    let worker = id("w");
    let mut all = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (runtime, worker) = (runtime.clone(), worker.clone());
        all.spawn(async move {
            let request = InputRequest::new(number.to_string());
            runtime.send_input(&worker, request, plain()).await
        });
    }
    let answers = all.join_all().await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(taken.len(), 1);
    assert!(
        refused
            .iter()
            .all(|answer| matches!(answer, Err(RuntimeError::WorkerBusy { .. })))
    );
    assert_eq!(contents(&runtime, "w").await.len(), 1);
}

#[tokio::test]
async fn an_input_is_single_flight_through_its_commit() {
    let store = TestStore::new();
    let (runtime, _script) = scripted_with(|builder| builder.store(store.clone())).await;
    create(&runtime, "w").await;
    store.hold();
    let worker = id("w");
    let both = async {
        tokio::join!(
            runtime.send_input(&worker, InputRequest::new("one"), plain()),
            runtime.send_input(&worker, InputRequest::new("two"), plain()),
        )
    };
    let ((one, two), ()) = tokio::join!(both, async {
        store.until_held().await;
        tokio::task::yield_now().await;
        store.release();
    });
    assert!(one.is_ok() != two.is_ok(), "{one:?} and {two:?}");
    assert_eq!(contents(&runtime, "w").await.len(), 1);
    assert_eq!(store.records().len(), 2, "a create and one input");
}

#[tokio::test]
async fn deltas_add_up_to_the_entry_that_follows() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    let mut watch = common::watch(&runtime, "w", None).await;
    watch.until_caught_up().await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    for entry in [["a€", "b", "c"], ["日", "本", "語"]] {
        for piece in entry {
            run.say(piece).await;
        }
        run.output().end_entry().await.unwrap();
    }
    run.say("rest").await;
    run.end(RunEnd::Completed);
    let mut whole = Vec::new();
    for _ in 0..3 {
        let said = loop {
            let before = watch.text_since_entry();
            if let Ok(yoi_protocol::Frame::Event(frame)) = watch.next().await
                && let Event::EntryAppended { entry } = frame.event
            {
                assert_eq!(before, entry.content);
                assert_eq!(entry.role, Role::Assistant);
                break entry.content;
            }
        };
        whole.push(said);
    }
    assert_eq!(whole, ["a€bc", "日本語", "rest"]);
}

#[tokio::test]
async fn everything_an_executor_says_is_told_in_its_order() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    let mut watch = common::watch(&runtime, "w", None).await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    run.output().thinking("hm").await.unwrap();
    run.say("let me look").await;
    run.output()
        .tool_call_started("c1", "search")
        .await
        .unwrap();
    run.output().tool_arguments("c1", "{\"q\":").await.unwrap();
    run.output().tool_arguments("c1", "1}").await.unwrap();
    run.output()
        .tool_call_finished("c1", "{\"q\":1}")
        .await
        .unwrap();
    run.output().tool_result("c1", true, "found").await.unwrap();
    run.output().entry(Role::Tool, "found").await.unwrap();
    run.output().usage(Some(3), Some(5)).await.unwrap();
    run.say("done").await;
    run.end(RunEnd::Completed);
    watch.until_event("run_finished").await;
    assert_eq!(
        watch.types()[4..],
        [
            "tool_call_started",
            "tool_call_finished",
            "tool_result",
            "entry_appended",
            "entry_appended",
            "usage",
            "entry_appended",
            "run_finished",
        ]
    );
    assert_eq!(
        contents(&runtime, "w").await,
        ["go", "let me look", "found", "done"]
    );
}

#[tokio::test]
async fn a_run_that_fails_keeps_its_text_and_says_why() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    run.say("so far").await;
    run.end(RunEnd::failed("model_lost", "gone"));
    let worker = settled(&runtime, "w").await;
    let last = worker.last_run.unwrap();
    assert_eq!(last.outcome, Outcome::Failed);
    assert_eq!(last.error.unwrap().code, "model_lost");
    assert_eq!(contents(&runtime, "w").await, ["go", "so far"]);
}

#[tokio::test]
async fn an_executor_that_panics_fails_its_run_alone() {
    struct Panics;
    impl worker_runtime::Executor for Panics {
        fn name(&self) -> &'static str {
            "panics"
        }
        fn check(&self) -> Result<(), worker_runtime::ExecutorUnavailable> {
            Ok(())
        }
        fn cancel_grace(&self) -> std::time::Duration {
            std::time::Duration::ZERO
        }
        fn run(
            &self,
            _: worker_runtime::RunContext,
            _: worker_runtime::RunOutput,
        ) -> worker_runtime::RunFuture {
            panic!("on purpose");
        }
    }
    let profile = worker_runtime::ProfileSpec::new(Panics);
    let runtime = common::builder()
        .profile("panics", profile)
        .default_profile("panics");
    let runtime = runtime.start().await.unwrap();
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let worker = settled(&runtime, "w").await;
    assert_eq!(worker.status, WorkerStatus::Idle);
    assert_eq!(
        worker.last_run.unwrap().error.unwrap().code,
        "executor_failed"
    );
}
