//! `Process`, with programs that stand for servers.

use std::process::Command;

use yoi_testkit::{Process, eventually};

fn shell(script: &str) -> Process {
    Process::start(Command::new("sh").args(["-c", script]))
}

#[test]
fn it_is_known_by_its_address_and_ends_as_it_is_told() {
    let mut process = shell(
        "trap 'exit 3' TERM; echo listening on http://127.0.0.1:80; echo next; \
         while :; do sleep 0.01; done",
    );
    assert_eq!(process.url(), "http://127.0.0.1:80");
    assert_eq!(process.address().port(), 80);
    assert_eq!(process.line(), "next");
    process.signal("TERM");
    assert_eq!(process.ended().code(), Some(3));
}

#[test]
#[should_panic(expected = "no configuration here")]
fn one_that_does_not_serve_is_heard() {
    let _ = shell("echo no configuration here >&2; exit 1");
}

#[test]
#[should_panic(expected = "did not say where it listens, but Ok(\"hello\")")]
fn one_that_says_something_else_is_none() {
    let _ = shell("echo hello; exec sleep 60");
}

#[test]
#[should_panic(expected = "prints no further line")]
fn a_line_that_cannot_come_is_not_waited_for() {
    shell("echo listening on http://127.0.0.1:80").line();
}

#[tokio::test]
async fn dropped_or_killed_it_is_gone() {
    for killed in [true, false] {
        let mut process = shell("echo listening on http://127.0.0.1:80; echo $$; exec sleep 60");
        let id = process.line();
        if killed {
            process.kill();
        } else {
            drop(process);
        }
        eventually("the process is gone", async || {
            let there = Command::new("kill").args(["-0", &id]).output().unwrap();
            if there.status.success() {
                Err("it is there")
            } else {
                Ok(())
            }
        })
        .await;
    }
}

#[test]
fn it_has_no_variables_but_those_it_is_given() {
    let folder = std::env::temp_dir();
    let script = "test -z \"$CARGO_MANIFEST_DIR\" && echo listening on http://127.0.0.1:$PORT";
    let mut command = Process::bare("sh", &folder, &["-c", script]);
    let process = Process::start(command.env("PORT", "7400"));
    assert_eq!(process.address().port(), 7400);
}

#[test]
#[should_panic(expected = "no-such-program is not built: run the tests with")]
fn what_is_not_built_is_told() {
    let _ = Process::built("no-such-program");
}
