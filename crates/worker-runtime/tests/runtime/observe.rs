//! Observation: the past, then the present, and nothing lost between them.

use std::sync::Arc;

use tokio::sync::watch;
use worker_runtime::{RunEnd, RuntimeError};
use yoi_protocol::{Control, Event, Frame, StreamEnd};

use crate::common::{
    self, builder, contents, create, id, scripted, send, settled, stop, transcript,
};

#[tokio::test]
async fn without_a_cursor_it_begins_with_a_snapshot() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    run.say("so ").await;
    run.output().thinking("hm").await.unwrap();
    run.output().tool_arguments("c1", "{").await.unwrap();
    run.output().usage(Some(1), None).await.unwrap();
    // The usage is an event, so all before it is taken when it is seen.
    let mut other = common::watch(&runtime, "w", None).await;
    while runtime
        .get_worker(&id("w"))
        .await
        .unwrap()
        .updated_at
        .as_unix_ms()
        == 0
        || other.events().last().is_none_or(|event| event.seq < 5)
    {
        other.next_event().await;
    }

    let mut watch = common::watch(&runtime, "w", None).await;
    let first = watch.next_event().await;
    let worker = runtime.get_worker(&id("w")).await.unwrap();
    assert_eq!(first.seq, 5, "it stands for all that it contains");
    let entries = transcript(&runtime, "w").await.entries;
    let expected = Event::Snapshot {
        worker: Box::new(worker.clone()),
        transcript: entries,
        first_sequence: 1,
    };
    assert_eq!(first.event, expected);
    let in_flight = watch.until_caught_up().await.unwrap();
    assert_eq!(
        (in_flight.text.as_str(), in_flight.thinking.as_str()),
        ("so ", "hm")
    );
    assert_eq!(in_flight.tool_arguments[0].text, "{");
    assert_eq!(
        Some(in_flight.run_id),
        worker.active_run.map(|run| run.run_id)
    );

    run.say("far").await;
    let delta = loop {
        if let Ok(Frame::Delta(frame)) = watch.next().await {
            break frame.delta;
        }
    };
    let yoi_protocol::Delta::Text { offset, text, .. } = delta else {
        panic!("not {delta:?}");
    };
    assert_eq!(
        (offset, text.as_str()),
        (3, "far"),
        "it goes on where in_flight ends"
    );
}

#[tokio::test]
async fn with_a_cursor_come_all_events_after_it() {
    let runtime = builder().start().await.unwrap();
    create(&runtime, "w").await;
    let mut all = common::watch(&runtime, "w", None).await;
    let accepted = send(&runtime, "w", "go").await;
    all.until_event("run_finished").await;
    all.until_event("status_changed").await;
    let after: Vec<_> = all.events()[2..]
        .iter()
        .map(|event| (*event).clone())
        .collect();

    let mut watch = common::watch(&runtime, "w", Some(accepted.cursor.as_str())).await;
    assert_eq!(watch.until_caught_up().await, None);
    let seen: Vec<_> = watch.events().into_iter().cloned().collect();
    assert_eq!(seen, after, "the same events with the same cursors");

    let last = seen.last().unwrap().cursor.clone();
    let mut watch = common::watch(&runtime, "w", Some(last.as_str())).await;
    watch.until_caught_up().await;
    assert!(watch.events().is_empty(), "nothing is left");
}

#[tokio::test]
async fn cursors_that_lead_nowhere_are_told_apart() {
    let runtime = builder().start().await.unwrap();
    create(&runtime, "w").await;
    create(&runtime, "other").await;
    let of_other = send(&runtime, "other", "x").await.cursor;
    let observe = |cursor: String| {
        let runtime = runtime.clone();
        async move { runtime.observe(&id("w"), Some(&cursor)).await.err() }
    };
    let invalid = Some(RuntimeError::CursorInvalid);
    assert_eq!(observe(String::new()).await, invalid);
    assert_eq!(observe("not a cursor".to_owned()).await, invalid);
    let truncated = of_other.as_str()[..of_other.as_str().len() - 1].to_owned();
    assert_eq!(observe(truncated).await, invalid);
    let unknown = Some(RuntimeError::CursorUnknown);
    assert_eq!(observe(of_other.as_str().to_owned()).await, unknown);
    // `expired` and another life: see the limits that lead there.
}

const WATCHERS: usize = 40;
/// How often the run waits for more watchers, and what it says in between.
const PARTS: usize = 4;
const WORDS: usize = 100;

/// Whoever comes at whatever moment sees every event once and in order, and text that joins.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_event_falls_between_the_past_and_the_present() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    let accepted = send(&runtime, "w", "go").await;
    let run = script.next_run().await;
    let watching = Arc::new(watch::Sender::new(0));
    let mut came = watching.subscribe();
    let speaks = tokio::spawn(async move {
        for part in 0..=PARTS {
            let enough = |watching: &usize| *watching >= WATCHERS * part / PARTS;
            came.wait_for(enough).await.unwrap();
            for said in part * WORDS..(part + 1) * WORDS {
                run.say(&format!("{said} ")).await;
                if said % 5 == 4 {
                    run.output().end_entry().await.unwrap();
                }
                tokio::task::yield_now().await;
            }
        }
        run.end(RunEnd::Completed);
    });
    let mut watchers = tokio::task::JoinSet::new();
    for number in 0..WATCHERS {
        let (runtime, watching) = (runtime.clone(), Arc::clone(&watching));
        let cursor = (number % 2 == 0).then(|| accepted.cursor.as_str().to_owned());
        watchers.spawn(async move {
            for _ in 0..number * 3 {
                tokio::task::yield_now().await;
            }
            let mut watch = common::watch(&runtime, "w", cursor.as_deref()).await;
            watching.send_modify(|watching| *watching += 1);
            watch.until_event("run_finished").await;
            check(&watch);
        });
    }
    speaks.await.unwrap();
    while let Some(watcher) = watchers.join_next().await {
        watcher.unwrap();
    }
    let said = 0..(PARTS + 1) * WORDS;
    let whole: String = said.map(|number| format!("{number} ")).collect();
    assert_eq!(contents(&runtime, "w").await[1..].concat(), whole);
}

/// Events dense, one `caught_up`, and after it deltas that join and add up to each entry.
fn check(watch: &common::Watcher) {
    let seqs: Vec<u64> = watch.events().iter().map(|event| event.seq).collect();
    assert!(
        seqs.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "a gap in {seqs:?}"
    );
    let mut said: Option<String> = None;
    for frame in watch.seen() {
        match frame {
            Frame::Control(control) => {
                let Control::CaughtUp { in_flight } = &control.control else {
                    panic!("not {control:?}");
                };
                assert_eq!(said, None, "it comes once");
                said = Some(
                    in_flight
                        .as_ref()
                        .map(|said| said.text.clone())
                        .unwrap_or_default(),
                );
            }
            Frame::Delta(delta) => {
                let yoi_protocol::Delta::Text { offset, text, .. } = &delta.delta else {
                    panic!("not {delta:?}");
                };
                let said = said.as_mut().expect("deltas come after caught_up");
                assert_eq!(*offset, said.len() as u64, "a hole or an overlap");
                said.push_str(text);
            }
            Frame::Event(event) => {
                if let (Event::EntryAppended { entry }, Some(said)) = (&event.event, &mut said) {
                    assert_eq!(*said, entry.content);
                    said.clear();
                }
            }
            Frame::Diagnostic(_) => panic!("not {frame:?}"),
        }
    }
}

#[tokio::test]
async fn a_stopped_worker_is_told_to_its_end() {
    let runtime = builder().start().await.unwrap();
    create(&runtime, "w").await;
    let accepted = send(&runtime, "w", "go").await;
    settled(&runtime, "w").await;
    stop(&runtime, "w").await;

    let mut watch = common::watch(&runtime, "w", None).await;
    assert_eq!(watch.end().await, StreamEnd::Complete);
    assert_eq!(watch.types(), ["snapshot"]);

    let mut watch = common::watch(&runtime, "w", Some(accepted.cursor.as_str())).await;
    assert_eq!(watch.end().await, StreamEnd::Complete);
    assert_eq!(watch.types().last(), Some(&"worker_stopped"));
    assert_eq!(
        watch.next().await,
        Err(StreamEnd::Complete),
        "the same again"
    );

    let last = watch.events().last().unwrap().cursor.clone();
    let mut watch = common::watch(&runtime, "w", Some(last.as_str())).await;
    assert_eq!(watch.end().await, StreamEnd::Complete);
    assert!(watch.events().is_empty());
}

#[tokio::test]
async fn next_can_be_given_up_without_losing_a_frame() {
    let (runtime, mut script) = scripted().await;
    create(&runtime, "w").await;
    let mut observation = runtime.observe(&id("w"), None).await.unwrap();
    let mut frames = Vec::new();
    let speaks = async {
        send(&runtime, "w", "go").await;
        let run = script.next_run().await;
        for _ in 0..100 {
            run.say("x").await;
            tokio::task::yield_now().await;
        }
        run.end(RunEnd::Completed);
    };
    let mut speaks = std::pin::pin!(speaks);
    let mut is_said = false;
    loop {
        tokio::select! {
            biased;
            // Ready again and again, so that `next` is dropped in every state it has.
            () = tokio::task::yield_now() => {}
            () = &mut speaks, if !is_said => is_said = true,
            frame = observation.next() => frames.push(frame.unwrap()),
        }
        while let Some(frame) = observation.try_next() {
            frames.push(frame.unwrap());
        }
        let texts: Vec<_> = frames
            .iter()
            .map(|frame| String::from_utf8_lossy(&frame.text))
            .collect();
        if texts.iter().any(|text| text.contains("\"run_finished\"")) {
            let deltas = texts
                .iter()
                .filter(|text| text.contains("\"delta\""))
                .count();
            assert_eq!(deltas, 100);
            return;
        }
        if !is_said || frames.is_empty() {
            frames.extend(tokio::select! {
                biased;
                () = &mut speaks, if !is_said => { is_said = true; None }
                frame = observation.next() => Some(frame.unwrap()),
            });
        } else {
            frames.push(observation.next().await.unwrap());
        }
    }
}

#[tokio::test]
async fn all_live_readers_share_one_serialisation() {
    let (runtime, _script) = scripted().await;
    create(&runtime, "w").await;
    let mut one = runtime.observe(&id("w"), None).await.unwrap();
    let mut two = runtime.observe(&id("w"), None).await.unwrap();
    for observation in [&mut one, &mut two] {
        observation.next().await.unwrap();
        observation.next().await.unwrap();
    }
    send(&runtime, "w", "go").await;
    let (one, two) = (one.next().await.unwrap(), two.next().await.unwrap());
    assert_eq!(one.text, two.text);
    assert_eq!(one.text.as_ptr(), two.text.as_ptr());
}
