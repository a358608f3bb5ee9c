//! `yoi export` and `yoi repair`, on the files that a real `yoi runtime` leaves.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use yoi_testkit::Process;

use crate::Backend;
use crate::backend::{Outcome, yoi};

const FILE: &str = "[[runtimes]]\nid = \"local\"\nkind = \"embedded\"\nstore = { kind = \"fs\", path = \"data\" }\n";

/// A Backend whose Runtime keeps its log in files, and has talked with two Workers.
fn talked() -> Backend {
    let backend = Backend::configured(FILE);
    for id in ["ada", "bob"] {
        backend.shows(&["create", "--id", id]);
        let target = format!("local/{id}");
        backend.shows(&["send", &target, "hello", "--follow"]);
    }
    backend
}

/// The files that are left when it has ended.
fn left(mut backend: Backend) -> TempDir {
    backend.server.signal("TERM");
    assert_eq!(backend.server.ended().code(), Some(0));
    backend.folder
}

fn run(folder: &Path, args: &[&str]) -> Outcome {
    Outcome::of(yoi(folder, args).output().expect("it ran"))
}

fn events(exported: &str) -> Vec<Value> {
    let lines = exported.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn the_log(folder: &Path) -> PathBuf {
    folder.join("data/0000000001.log")
}

/// Changes one letter of what bob was told, which is behind what ada was.
fn damage(folder: &Path) -> usize {
    let mut bytes = fs::read(the_log(folder)).expect("a log");
    let said = b"\"hello\"";
    let find = |bytes: &[u8]| bytes.windows(said.len()).position(|at| at == said);
    let mut at = 0;
    for _ in 0..3 {
        at += find(&bytes[at..]).expect("said") + 1;
    }
    bytes[at] ^= 1;
    fs::write(the_log(folder), bytes).expect("written");
    at
}

#[test]
fn the_log_is_exported_while_it_is_written_and_after() {
    let backend = talked();
    let during = backend.shows(&["export", "data"]);
    let folder = left(backend);
    let after = run(folder.path(), &["export", "data"]).shown(0);
    assert_eq!(during, after);
    let all = events(&after);
    let types: Vec<&str> = all
        .iter()
        .filter(|line| line["worker_id"] == "ada")
        .filter_map(|line| line["event"]["type"].as_str())
        .collect();
    assert_eq!(
        types,
        [
            "snapshot",
            "input_accepted",
            "run_started",
            "status_changed",
            "entry_appended",
            "run_finished",
            "status_changed"
        ]
    );
    let one = run(folder.path(), &["export", "data", "--worker", "bob"]).shown(0);
    let ours = all.iter().filter(|line| line["worker_id"] == "bob");
    assert_eq!(events(&one), ours.cloned().collect::<Vec<_>>());
}

#[test]
fn a_store_that_is_whole_is_left_alone() {
    let folder = left(talked());
    let before = fs::read(the_log(folder.path())).expect("a log");
    for args in [&["repair", "data"][..], &["repair", "data", "--apply"]] {
        let told = run(folder.path(), args).shown(0);
        assert!(told.contains("is whole: 2 workers"), "{told}");
    }
    assert_eq!(fs::read(the_log(folder.path())).expect("a log"), before);
}

#[test]
fn a_damaged_store_is_shown_repaired_and_kept_as_it_was() {
    let folder = left(talked());
    let at = damage(folder.path());
    let damaged = fs::read(the_log(folder.path())).expect("a log");

    let refused = run(folder.path(), &["serve", "--bind", "127.0.0.1:0"]).told(1);
    let place = "0000000001.log is damaged at offset ";
    assert!(refused.contains(place), "{refused}");
    assert!(refused.contains("yoi repair"), "{refused}");
    let offset = refused.split(place).nth(1).expect("an offset");
    let offset: usize = offset.split(':').next().unwrap().parse().expect("a number");
    assert!(offset < at && at - offset < 1_000, "{offset}, not {at}");

    let exported = run(folder.path(), &["export", "data"]);
    assert_eq!(exported.code, Some(1));
    let note = format!("0000000001.log, {} bytes from offset {offset} on", {
        let line = damaged[offset..].iter().position(|byte| *byte == b'\n');
        line.expect("a line") + 1
    });
    assert!(exported.err.contains(&note), "{}", exported.err);

    let shown = run(folder.path(), &["repair", "data"]);
    assert_eq!(shown.code, Some(1));
    assert!(shown.out.contains("goes on from 1 anew"), "{}", shown.out);
    assert!(shown.err.contains("--apply"), "{}", shown.err);
    assert_eq!(fs::read(the_log(folder.path())).expect("a log"), damaged);
    let json = run(folder.path(), &["repair", "data", "--json"]);
    let json: Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(json["flaws"][0]["offset"], offset);
    assert_eq!(json["workers"][1]["last_seq"], 1);

    let done = run(folder.path(), &["repair", "data", "--apply"]).shown(0);
    let before = done.split(" is in ").nth(1).expect("a folder");
    let before = before.split(',').next().expect("a name");
    let kept = folder.path().join(before).join("0000000001.log");
    assert_eq!(fs::read(kept).expect("as it was"), damaged);

    let server = Process::start(&mut yoi(folder.path(), &["serve", "--bind", "127.0.0.1:0"]));
    let ask = |args: &[&str]| {
        let mut command = yoi(folder.path(), args);
        command.env("YOI_BACKEND", server.url());
        Outcome::of(command.output().expect("it ran"))
    };
    for (target, said) in [("local/ada", 2), ("local/bob", 0)] {
        let transcript = ask(&["transcript", target]).shown(0);
        assert_eq!(transcript.matches("hello").count(), said, "{transcript}");
    }
    ask(&["send", "local/bob", "again", "--follow"]).shown(0);
}

#[test]
fn what_cannot_be_used_is_said() {
    let backend = talked();
    let busy = backend.run(&["repair", "data"]).told(4);
    assert!(busy.contains("in use by process "), "{busy}");
    let folder = left(backend);
    for (args, code, told) in [
        (&["repair", "nowhere"][..], 2, "there is no store"),
        (&["export", "nowhere"], 2, "there is no store"),
        (&["export", "."], 2, "there is no store"),
        (&["export", "data/STORE"], 2, "cannot be used"),
    ] {
        let said = run(folder.path(), args).told(code);
        assert!(said.contains(told), "{args:?}: {said}");
    }
    let mut identity = fs::read(folder.path().join("data/STORE")).expect("STORE");
    identity.truncate(20);
    fs::write(folder.path().join("data/STORE"), identity).expect("written");
    let refused = run(folder.path(), &["serve", "--bind", "127.0.0.1:0"]).told(1);
    assert!(refused.contains("STORE is damaged"), "{refused}");
    let folder_name = folder.path().display().to_string();
    assert!(!refused.contains(&folder_name), "{refused}");
}
