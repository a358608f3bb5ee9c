//! `yoi serve` with an embedded Runtime that keeps its log.

use crate::Backend;

/// Such a Runtime, and a profile that goes on for as long as it is heard.
const FILE: &str = r#"
[profiles.slow]
executor = "command"
program = "/bin/sh"
args = ["-c", "while echo . >&2; do sleep 0.2; done"]

[[runtimes]]
id = "local"
kind = "embedded"
store = { kind = "fs", path = "data" }
"#;

const SERVE: [&str; 3] = ["serve", "--bind", "127.0.0.1:0"];

#[test]
fn a_backend_that_is_killed_finds_its_workers_again() {
    let mut backend = Backend::configured(FILE);
    backend.shows(&["create", "--id", "w-1"]);
    let answer = backend.shows(&["send", "local/w-1", "hello", "--follow"]);
    assert_eq!(answer, "hello\n");
    backend.wait_until_idle("local/w-1");
    backend.shows(&["create", "--id", "w-2", "--profile", "slow"]);
    backend.shows(&["send", "local/w-2", "go on"]);
    backend.shows(&["create", "--id", "w-3"]);
    backend.shows(&["stop", "local/w-3"]);
    let said = backend.json(&["transcript", "local/w-1"]);

    backend.kill_and_start(&SERVE);
    assert_eq!(backend.json(&["transcript", "local/w-1"]), said);
    let workers = backend.json(&["workers"]);
    let status = |id: &str| {
        let all = workers["workers"].as_array().expect("a list");
        let worker = all.iter().find(|worker| worker["worker_id"] == id);
        worker.expect(id)["status"].clone()
    };
    // The run of the second did not see the end.
    assert_eq!(
        [status("w-1"), status("w-2"), status("w-3")],
        ["idle", "idle", "stopped"]
    );
    let told = backend.shows(&["transcript", "local/w-2"]);
    assert!(told.contains("go on"), "{told}");
    let answer = backend.shows(&["send", "local/w-1", "hello again", "--follow"]);
    assert_eq!(answer, "hello again\n");
}
