//! Whose folder it is.

use std::path::Path;
use std::{fs, thread};

use serde_json::json;
use yoi_testkit::Process;

use crate::api::{Api, Command};
use crate::house::House;

const STORE: [&str; 4] = ["--store", "fs", "--path", "data"];

fn with_id(id: &str) -> Vec<&str> {
    [&STORE[..], &["--id", id]].concat()
}

async fn info(serving: &Process) -> serde_json::Value {
    Api::new(serving.url()).get("/v1/runtime").await
}

#[tokio::test]
async fn a_second_process_is_told_who_has_the_folder() {
    let house = House::new();
    let first = house.start(&with_id("rt-1"));
    let pid = pid_in_lock(&house);
    let refusal = house.refused(&with_id("rt-1"));
    assert_eq!(refusal.code, Some(1), "{refusal:?}");
    let expected = format!(
        "worker-runtime: the store cannot be opened: the store is in use by process {pid} since "
    );
    assert!(refusal.told.starts_with(&expected), "{refusal:?}");
    // Who has it is not disturbed.
    assert_eq!(info(&first).await["store"], "fs");
    drop(first);
    drop(house.start(&with_id("rt-1")));
}

#[test]
fn a_lock_that_is_about_to_be_let_go_is_waited_for() {
    let house = House::new();
    drop(house.start(&with_id("rt-1")));
    let path = house.data();
    // A busy machine may keep the lock for longer than anybody waits.
    let has_started = (0..5).any(|_| {
        let lock = fs::File::open(&path).expect("a lock");
        lock.lock().expect("free");
        // So long a program has it that a process was starting when it was killed.
        thread::scope(|scope| {
            let starting = scope.spawn(|| house.start(&with_id("rt-1")));
            while !is_open_in_a_runtime(&path) && !starting.is_finished() {
                thread::yield_now();
            }
            drop(lock);
            starting.join().is_ok()
        })
    });
    assert!(has_started, "it is always refused");
}

/// Whether a `worker-runtime` has a file open.
fn is_open_in_a_runtime(path: &Path) -> bool {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let is_runtime = |process: &fs::DirEntry| {
        let name = fs::read_to_string(process.path().join("comm"));
        name.is_ok_and(|name| name.trim() == "worker-runtime")
    };
    let runtimes = processes.filter(is_runtime);
    let files = runtimes.filter_map(|process| fs::read_dir(process.path().join("fd")).ok());
    files
        .flat_map(Iterator::flatten)
        .any(|file| fs::read_link(file.path()).is_ok_and(|link| link == path))
}

/// The process that runs, as the kernel knows it.
fn pid_in_lock(house: &House) -> String {
    let lock = fs::read_to_string(house.data().join("LOCK")).expect("readable");
    let pid = lock.split(' ').nth(1).expect("a number").to_owned();
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).expect("a process");
    assert_eq!(name.trim(), "worker-runtime");
    pid
}

#[tokio::test]
async fn another_runtime_does_not_get_the_folder() {
    let house = House::new();
    drop(house.start(&with_id("rt-1")));
    let refusal = house.refused(&with_id("rt-2"));
    assert_eq!(refusal.code, Some(2), "{refusal:?}");
    assert_eq!(
        refusal.told,
        "worker-runtime: --store: `runtime.store` names a folder that belongs to runtime rt-1, not \
         to rt-2: start the runtime under that id, or choose another folder"
    );
    drop(house.start(&with_id("rt-1")));
}

#[tokio::test]
async fn the_id_is_the_stores_when_none_is_told() {
    let house = House::new();
    let id = async || {
        let info = info(&house.start(&STORE)).await;
        info["runtime_id"].as_str().expect("an id").to_owned()
    };
    let first = id().await;
    assert!(first.starts_with("rt-"), "{first}");
    assert_eq!(id().await, first);

    let house = House::new();
    drop(house.start(&with_id("named")));
    assert_eq!(info(&house.start(&STORE)).await["runtime_id"], "named");
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_the_configurations_fault() {
    let house = House::new();
    fs::write(house.data(), "a file").expect("written");
    for args in [&STORE[..], &with_id("rt-1")] {
        let refusal = house.refused(args);
        assert_eq!(refusal.code, Some(2), "{refusal:?}");
        let expected =
            "worker-runtime: --store: `runtime.store` names a folder that cannot be used: ";
        assert!(refusal.told.starts_with(expected), "{refusal:?}");
    }
}

#[tokio::test]
async fn a_process_that_ends_in_order_leaves_nothing_to_tell() {
    let house = House::new();
    let mut serving = house.start(&with_id("rt-1"));
    let api = Api::new(serving.url());
    let create = Command {
        path: "/v1/workers".to_owned(),
        body: json!({"worker_id": "w-1"}).to_string(),
        key: None,
    };
    assert_eq!(
        api.send(&create).await.map(|answer| answer.status),
        Some(201)
    );
    serving.signal("TERM");
    assert_eq!(serving.ended().code(), Some(0));
    let serving = house.start(&with_id("rt-1"));
    let info = info(&serving).await;
    assert_eq!(info["store"], "fs", "{info}");
    assert_eq!(info["diagnostics"], json!([]), "{info}");
    assert_eq!(info["workers"]["idle"], 1, "{info}");
}

#[tokio::test]
async fn a_first_start_that_is_killed_leaves_a_folder_to_start_in() {
    for file in ["", "LOCK", "HEAD", "STORE"] {
        let house = House::new();
        house.kill_start_at(&with_id("rt-1"), file);
        let serving = house.start(&with_id("rt-1"));
        assert_eq!(info(&serving).await["diagnostics"], json!([]), "at {file}");
    }
}
