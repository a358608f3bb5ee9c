//! Stores that were written by each version there was are read by this one.
//!
//! `fixtures/store/v1` and so on hold the files of a store, and `events.jsonl` what is in it. The
//! store of a new format is made by this test with `YOI_WRITE_FIXTURES=1`; those of old ones are
//! never made anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use worker_runtime::store::fs::{FsOptions, FsStore, OpenError, export};
use worker_runtime::store::{LogId, Range};
use worker_runtime::{CommandContext, Condition, RunEnd, Runtime, Store, WorkerState};
use yoi_protocol::{CreateWorker, InputRequest, Limits, RuntimeId, StopRequest, WorkerId};
use yoi_testkit::{Script, ScriptedExecutor};

const FORMATS: u32 = 1;
const EVENTS: &str = "events.jsonl";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/store")
}

fn runtime_id() -> RuntimeId {
    RuntimeId::parse("rt-fixture").unwrap()
}

/// Segments so small that there are several, and so little kept that some were made one.
fn options() -> FsOptions {
    FsOptions::new(runtime_id()).segment_bytes(4096)
}

/// A copy of the files of a format, so that the fixture stays as it is.
fn copied(format: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixtures().join(format!("v{format}"))).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

async fn states(store: &FsStore) -> BTreeMap<WorkerId, (LogId, Arc<WorkerState>)> {
    let mut states = BTreeMap::new();
    let mut take = |log: LogId, state| {
        states.insert(log.worker_id.clone(), (log, state));
    };
    store.recover(&mut take).await.unwrap();
    states
}

#[tokio::test]
async fn stores_of_every_format_are_read() {
    if std::env::var_os("YOI_WRITE_FIXTURES").is_some() {
        write().await;
    }
    for format in 1..=FORMATS {
        let folder = copied(format);
        let text = fs::read_to_string(folder.path().join(EVENTS)).unwrap();
        let mut written: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let name = line["worker_id"].as_str().unwrap().to_owned();
            written.entry(name).or_default().push(line);
        }
        let store = FsStore::open(folder.path(), options()).unwrap();
        let states = states(&store).await;
        let names: Vec<&str> = states.keys().map(WorkerId::as_str).collect();
        assert_eq!(names, ["ada", "bob", "eve"], "format {format}");
        for (worker_id, (log, state)) in &states {
            let range = Range {
                after: 0,
                until: u64::MAX,
                max_items: usize::MAX,
                max_bytes: u64::MAX,
            };
            let page = store.events(log, range).await.unwrap();
            let written = &written[worker_id.as_str()];
            let kept = &written[written.len() - page.events.len()..];
            for (event, line) in page.events.iter().zip(kept) {
                assert_eq!(line["life"], log.life.to_string());
                assert_eq!(line["seq"], event.seq);
                assert_eq!(line["at"], event.at.to_string());
                assert_eq!(line["event"], serde_json::to_value(&event.event).unwrap());
            }
            assert_eq!(kept.last().unwrap()["seq"], state.seq, "{worker_id}");
        }
        assert_eq!(store.scrub().await, Condition::Sound);
        drop(store);

        // And it goes on: the run that was active is over, and an answer is given again.
        let store = Arc::new(FsStore::open(folder.path(), options()).unwrap());
        let runtime = Runtime::builder(runtime_id()).store(store).start().await;
        let runtime = runtime.unwrap();
        let eve = runtime.get_worker(&WorkerId::parse("eve").unwrap()).await;
        let last = eve.unwrap().last_run.unwrap();
        assert_eq!(last.error.unwrap().code, "interrupted");
        let create = CreateWorker {
            worker_id: WorkerId::parse("new").ok(),
            ..CreateWorker::default()
        };
        let created = runtime.create_worker(create, CommandContext::default());
        created.await.unwrap();
    }
}

#[test]
fn a_store_of_a_newer_format_is_refused() {
    let folder = copied(FORMATS);
    // Whatever else is new, this file says so in the form that it always had.
    let json = format!("{{\"format\":{},\"and\":\"more\"}}", FORMATS + 1);
    let signed = format!("V 0 0 {json}");
    let line = format!("{:08x} {signed}\n", crc32(signed.as_bytes()));
    fs::write(folder.path().join("STORE"), line).unwrap();
    let newer = OpenError::Newer {
        found: FORMATS + 1,
        known: FORMATS,
    };
    let refused = FsStore::open(folder.path(), options()).err();
    assert_eq!(refused, Some(newer.clone()));
    assert_eq!(FsStore::owner(folder.path()), Err(newer.clone()));
    let exported = export(folder.path(), None, &mut Vec::new());
    assert_eq!(exported, Err(newer.clone()));
    assert!(newer.to_string().contains("format 2"), "{newer}");
}

/// CRC-32 as everybody has it, bit by bit: the form of the file, and not our code for it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// Writes a store of the latest format.
async fn write() {
    let folder = tempfile::tempdir().unwrap();
    let (executor, mut script) = ScriptedExecutor::new();
    let limits = Limits {
        max_worker_events: 30,
        ..Limits::default()
    };
    let options = options().retention(worker_runtime::store::fs::Retention::of(&limits));
    let store = Arc::new(FsStore::open(folder.path(), options).unwrap());
    let runtime = Runtime::builder(runtime_id())
        .limits(limits)
        .store(Arc::clone(&store) as Arc<dyn Store>)
        .profile(
            "scripted",
            worker_runtime::ProfileSpec {
                executor: Arc::new(executor),
                description: None,
            },
        )
        .default_profile("scripted")
        .start()
        .await
        .unwrap();
    for name in ["ada", "bob", "eve", "zed"] {
        let create = CreateWorker {
            worker_id: WorkerId::parse(name).ok(),
            display_name: Some(format!("{name} \u{1F980}")),
            labels: [("größe".to_owned(), "\"1\"\\".to_owned())].into(),
            ..CreateWorker::default()
        };
        let context = CommandContext {
            key: yoi_protocol::IdempotencyKey::parse(name).ok(),
            ..CommandContext::default()
        };
        runtime.create_worker(create, context).await.unwrap();
    }
    // One that is gone, as it is when its time is over.
    say(&runtime, &mut script, "zed", 0).await;
    let (zed, _) = states(&store)
        .await
        .remove(&WorkerId::parse("zed").unwrap())
        .unwrap();
    store.forget(&zed).await.unwrap();
    for round in 0..24 {
        say(&runtime, &mut script, "ada", round).await;
    }
    store.maintain().await;
    for round in 24..30 {
        say(&runtime, &mut script, "ada", round).await;
    }
    say(&runtime, &mut script, "bob", 0).await;
    let bob = WorkerId::parse("bob").unwrap();
    let stop = StopRequest {
        reason: Some("done".to_owned()),
    };
    let stopped = runtime.stop_worker(&bob, stop, CommandContext::default());
    stopped.await.unwrap();
    store.maintain().await;
    let eve = WorkerId::parse("eve").unwrap();
    let input = InputRequest::new("go on for ever");
    let sent = runtime.send_input(&eve, input, CommandContext::default());
    sent.await.unwrap();
    let _run = script.next_run().await;
    // As a killed process leaves it, but for the room that was only taken.
    let to = fixtures().join(format!("v{FORMATS}"));
    let _ = fs::remove_dir_all(&to);
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        let used = match name.as_str() {
            "LOCK" => continue,
            "HEAD" => bytes.len(),
            _ => bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1,
        };
        fs::write(to.join(name), &bytes[..used]).unwrap();
    }
    let mut events = Vec::new();
    export(&to, None, &mut events).unwrap();
    fs::write(to.join(EVENTS), events).unwrap();
}

async fn say(runtime: &Runtime, script: &mut Script, name: &str, round: usize) {
    let worker_id = WorkerId::parse(name).unwrap();
    let input = InputRequest::new(format!("grüße {round} \u{65E5}\u{672C}"));
    let sent = runtime.send_input(&worker_id, input, CommandContext::default());
    sent.await.unwrap();
    let run = script.next_run().await;
    run.say(&format!("line {round}\nand \"more\"\u{0}")).await;
    run.end(RunEnd::Completed);
    yoi_testkit::eventually("it is idle", async || {
        let worker = runtime.get_worker(&worker_id).await.unwrap();
        match worker.active_run {
            None => Ok(()),
            Some(run) => Err(run),
        }
    })
    .await;
}
