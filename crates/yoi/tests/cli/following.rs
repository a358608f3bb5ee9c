//! `send --follow` and `watch`.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::backend::{PROFILES, run_many};
use crate::{Backend, shape};

#[test]
fn following_shows_the_answer_and_nothing_else() {
    let backend = Backend::configured(PROFILES);
    backend.shows(&["create", "--id", "w-1", "--profile", "upper"]);
    let followed = backend.run(&["send", "local/w-1", "hello", "--follow"]);
    assert_eq!(followed.err, "");
    assert_eq!(followed.shown(0), "HELLO\n");
}

#[test]
fn following_as_json_is_a_frame_a_line_until_the_run_ends() {
    let backend = Backend::start();
    backend.shows(&["create", "--id", "w-1"]);
    let shown = backend.shows(&["send", "local/w-1", "hello", "--follow", "--json"]);
    let frames: Vec<Value> = shown
        .lines()
        .map(|line| serde_json::from_str(line).expect("a frame"))
        .collect();
    let types: Vec<&str> = frames
        .iter()
        .filter_map(|frame| frame["event"]["type"].as_str())
        .collect();
    assert_eq!(types.first(), Some(&"run_started"), "{shown}");
    assert_eq!(types.last(), Some(&"run_finished"), "{shown}");
    let entry = frames
        .iter()
        .find(|frame| frame["event"]["type"] == "entry_appended");
    assert_eq!(
        entry.expect("an answer")["event"]["entry"]["content"],
        "hello"
    );
}

#[test]
fn a_run_that_fails_is_not_done() {
    let backend = Backend::configured(PROFILES);
    backend.shows(&["create", "--id", "w-1", "--profile", "failing"]);
    let told = backend
        .run(&["send", "local/w-1", "hello", "--follow"])
        .told(1);
    assert!(
        told.starts_with("yoi: the run failed: exit_status: "),
        "{told}"
    );
}

#[test]
fn a_run_that_somebody_cancels_is_not_done() {
    let backend = Backend::configured(PROFILES);
    backend.shows(&["create", "--id", "w-1", "--profile", "slow"]);
    let mut following = backend
        .command(&["send", "local/w-1", "hello", "--follow", "--json"])
        .spawn()
        .expect("it starts");
    let mut frames = BufReader::new(following.stdout.take().expect("piped")).lines();
    let started = frames
        .by_ref()
        .map(|line| line.expect("readable"))
        .find(|line| line.contains("run_started"));
    assert!(started.is_some(), "the run never began");
    backend.shows(&["cancel", "local/w-1"]);
    for line in frames {
        line.expect("readable");
    }
    let outcome = following.wait_with_output().expect("it ended");
    assert_eq!(outcome.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&outcome.stderr),
        "yoi: the run was cancelled\n"
    );
}

#[test]
fn watching_tells_all_until_the_worker_is_stopped() {
    let backend = Backend::configured(PROFILES);
    backend.shows(&["create", "--id", "w-1", "--profile", "upper"]);
    backend.shows(&["send", "local/w-1", "before", "--follow"]);
    let mut watching = backend
        .command(&["watch", "local/w-1"])
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(watching.stdout.take().expect("piped")).lines();
    let mut line = || shape(&lines.next().expect("a line").expect("readable"));

    assert_eq!(line(), "* local/w-1 is idle, 2 entries");
    assert_eq!(line(), "user> before");
    assert_eq!(line(), "assistant> BEFORE");
    backend.shows(&["send", "local/w-1", "hello", "--follow"]);
    assert_eq!(line(), "user> hello");
    assert_eq!(line(), "* <run> started");
    assert_eq!(line(), "* running");
    assert_eq!(line(), "assistant> HELLO");
    assert_eq!(line(), "* <run> completed");
    assert_eq!(line(), "* idle");
    backend.shows(&["stop", "local/w-1"]);
    assert_eq!(line(), "* stopped");
    assert_eq!(line(), "* stopped for good");
    assert!(lines.next().is_none(), "it says more");
    assert_eq!(watching.wait().expect("it ended").code(), Some(0));
}

#[test]
fn watching_goes_on_from_a_cursor() {
    let backend = Backend::start();
    backend.shows(&["create", "--id", "w-1"]);
    let accepted = backend.json(&["send", "local/w-1", "hello"]);
    backend.wait_until_idle("local/w-1");
    backend.shows(&["stop", "local/w-1"]);
    let cursor = accepted["cursor"].as_str().expect("a cursor");

    let all = events(&backend.shows(&["watch", "local/w-1", "--json", "--cursor", cursor]));
    assert_eq!(all.first().map(String::as_str), Some("run_started"));
    assert_eq!(all.last().map(String::as_str), Some("worker_stopped"));
    let snapshot = events(&backend.shows(&["watch", "local/w-1", "--json"]));
    assert_eq!(
        snapshot,
        ["snapshot"],
        "a stopped worker has nothing to add"
    );

    let forged = backend
        .run(&["watch", "local/w-1", "--cursor", "forged"])
        .told(2);
    assert!(forged.starts_with("yoi: cursor_invalid: "), "{forged}");
}

fn events(frames: &str) -> Vec<String> {
    frames
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a frame"))
        .filter_map(|frame| frame["event"]["type"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn a_backend_that_goes_away_is_told_with_the_way_to_go_on() {
    let mut backend = Backend::start();
    backend.shows(&["create", "--id", "w-1"]);
    let mut watching = backend
        .command(&["watch", "local/w-1", "--json"])
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(watching.stdout.take().expect("piped")).lines();
    let frame = lines.next().expect("a line").expect("readable");
    let frame: Value = serde_json::from_str(&frame).expect("a frame");
    let cursor = frame["cursor"].as_str().expect("a cursor").to_owned();
    // The snapshot is told before the stream is known to be open to live frames.
    lines.next().expect("caught_up").expect("readable");
    backend.server.signal("TERM");
    assert_eq!(backend.server.ended().code(), Some(0));
    let outcome = watching.wait_with_output().expect("it ended");
    assert_eq!(outcome.status.code(), Some(5));
    let told = String::from_utf8(outcome.stderr).expect("UTF-8");
    let (why, how) = told.split_once('\n').expect("two lines");
    assert!(why.starts_with("yoi: draining: "), "{told}");
    assert_eq!(
        how,
        format!("go on with: yoi watch local/w-1 --cursor {cursor}\n")
    );
}

#[test]
fn a_cursor_that_leads_nowhere_is_no_way_to_go_on() {
    let backend = Backend::start();
    backend.shows(&["create", "--id", "w-1"]);
    let watch = ["watch", "local/w-1", "--cursor", "x"];
    let outcome = backend.command(&watch).output().expect("it runs");
    let told = String::from_utf8(outcome.stderr).expect("UTF-8");
    assert!(told.starts_with("yoi: cursor_invalid: "), "{told}");
    assert!(!told.contains("go on with"), "{told}");
}

#[test]
fn a_watcher_that_was_too_slow_comes_back_and_misses_no_event() {
    let file = format!(
        "{}\n[profiles.big]\nexecutor = \"command\"\nprogram = \"sh\"\n\
         args = [\"-c\", \"head -c 900000 /dev/zero | tr '\\\\000' x\"]\n",
        PROFILES.trim_end()
    );
    let backend = Backend::configured(&file);
    backend.shows(&["create", "--id", "w-1", "--profile", "big"]);
    let mut watching = backend
        .command(&["watch", "local/w-1", "--json"])
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(watching.stdout.take().expect("piped")).lines();
    let mut seqs = vec![seq(&lines.next().expect("a line").expect("readable"))];
    // Far more than the sockets and pipes between here and the Backend hold, read by nobody.
    // Soon, or the Backend counts the watcher as gone.
    run_many(&backend, "w-1", 24);
    backend.shows(&["stop", "local/w-1"]);
    for line in lines {
        seqs.push(seq(&line.expect("readable")));
    }
    let outcome = watching.wait_with_output().expect("it ended");
    assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    let seqs: Vec<u64> = seqs.into_iter().flatten().collect();
    let dense: Vec<u64> = (1..=seqs.len() as u64).collect();
    assert_eq!(seqs, dense);
    assert_eq!(seqs.len(), 24 * 6 + 3);
}

/// The number of a frame that is an event.
fn seq(frame: &str) -> Option<u64> {
    serde_json::from_str::<Value>(frame).expect("a frame")["seq"].as_u64()
}
