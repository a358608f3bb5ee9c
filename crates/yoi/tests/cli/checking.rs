//! `yoi check-runtime` against a real `yoi runtime`, and against what is none.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::Value;

use crate::Backend;
use crate::backend::{Outcome, yoi};

const FILE: &str = r#"
[runtime]
id = "gpu-1"
bind = "127.0.0.1:0"
token = { env = "SECRET" }

[profiles.upper]
executor = "command"
program = "tr"
args = ["a-z", "A-Z"]

[profiles.lasting]
executor = "command"
program = "sh"
args = ["-c", "echo at it; exec sleep 600"]
kill_grace_ms = 100
"#;

fn runtime() -> Backend {
    Backend::start_with(&["runtime"], Some(FILE))
}

fn check(url: &str, more: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let args = [&["check-runtime", url], more].concat();
    let mut command = yoi(folder.path(), &args);
    command.env("TOKEN", "sesame").env("WRONG", "guessed");
    Outcome::of(command.output().expect("it ran"))
}

const FULLY: [&str; 6] = [
    "--token-env",
    "TOKEN",
    "--profile",
    "upper",
    "--long-profile",
    "lasting",
];

/// A port that was free a moment ago, with nobody behind it.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("bound"))
}

/// Something that answers everything with this, and is no Runtime.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).expect("a request");
            stream.write_all(answer.as_bytes()).expect("taken");
        }
    });
    format!("http://{address}")
}

/// Name and outcome of each row.
fn rows(table: &str) -> BTreeMap<String, String> {
    let rows = table.lines().skip(1).take_while(|line| !line.is_empty());
    rows.map(|row| {
        let mut words = row.split_whitespace().map(str::to_owned);
        let mut word = || words.next().expect("a column");
        (word(), word())
    })
    .collect()
}

#[test]
fn a_runtime_that_keeps_the_contract_is_a_table_and_0() {
    let runtime = runtime();
    let table = check(&runtime.url, &FULLY).shown(0);
    assert!(table.starts_with("CHECK  "), "{table}");
    let head: Vec<&str> = table
        .lines()
        .next()
        .expect("a head")
        .split_whitespace()
        .collect();
    assert_eq!(head, ["CHECK", "OUTCOME", "MS", "WHAT"]);
    let rows = rows(&table);
    assert_eq!(rows["create.id_is_taken_once"], "passed");
    let row = table
        .lines()
        .find(|line| line.starts_with("create.id_is_taken_once"));
    let promise = "an id that is taken is worker_already_exists, also of a stopped Worker";
    assert!(row.expect("its row").ends_with(promise), "{row:?}");
    let others: Vec<_> = rows
        .iter()
        .filter(|(_, outcome)| *outcome != "passed")
        .collect();
    assert_eq!(others, [], "not everything passed");
    let last = table.lines().last().expect("a last line");
    assert_eq!(last, format!("{} passed, 0 failed, 0 skipped", rows.len()));
}

#[test]
fn json_is_the_whole_report() {
    let runtime = runtime();
    let shown = check(
        &runtime.url,
        &["--token-env", "TOKEN", "--profile", "upper", "--json"],
    );
    let shown = shown.shown(0);
    assert_eq!(shown.lines().count(), 1, "not one line: {shown}");
    assert!(
        !shown.contains("sesame") && !shown.contains(&runtime.url),
        "{shown}"
    );
    let report: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(report["runtime"]["runtime_id"], "gpu-1");
    assert_eq!(report["runtime"]["api_version"], "v1");
    let checks = report["checks"].as_array().expect("checks");
    let count = |outcome: &str| {
        checks
            .iter()
            .filter(|one| one["outcome"] == outcome)
            .count()
    };
    for outcome in ["passed", "failed", "skipped"] {
        assert_eq!(report[outcome], count(outcome), "{outcome}");
    }
    let find = |name: &str| {
        let found = checks.iter().find(|one| one["name"] == name);
        found.expect("the check").as_object().expect("an object")
    };
    let fields: Vec<&str> = find("runtime.says_what_it_is")
        .keys()
        .map(|key| &**key)
        .collect();
    assert_eq!(fields, ["duration_ms", "name", "outcome", "promise"]);
    let skipped = find("cancel.ends_the_active_run");
    assert_eq!(skipped["outcome"], "skipped");
    assert_eq!(
        skipped["reason"],
        "needs a profile whose runs last until they are ended: name a long profile"
    );
}

#[test]
fn who_breaks_the_contract_is_1() {
    let other = answering(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\
         connection: close\r\n\r\n{}",
    );
    let outcome = check(&other, &[]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let rows = rows(&outcome.out);
    assert_eq!(rows["runtime.says_what_it_is"], "FAILED");
    assert_eq!(rows["create.id_is_taken_once"], "skipped");
    let expected = format!(
        "yoi: the contract is not kept: 1 of {} checks failed\n",
        rows.len()
    );
    assert_eq!(outcome.err, expected);
    let json = check(&other, &["--json"]).shown(1);
    let report: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(report["failed"], 1);
    let detail = report["checks"][0]["detail"].as_str().expect("a detail");
    assert!(
        detail.ends_with("gave 200 without the header yoi-runtime-id"),
        "{detail}"
    );
}

#[test]
fn what_is_wrong_with_the_first_answer_is_told() {
    for (answer, told) in [
        (
            "HTTP/1.1 302 Found\r\nlocation: /\r\nconnection: close\r\n\r\n",
            "gave status 302, not 200",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nyoi-runtime-id: gpu-1\r\n\
             connection: close\r\n\r\n{\"runtime_id\":\"gpu-1\"}",
            "missing field `boot_id`",
        ),
    ] {
        let shown = check(&answering(answer), &[]).out;
        assert!(shown.contains(told), "{shown}");
    }
}

/// One whose first three callers learn what it is; the others wait for good.
fn falls_silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let body = include_str!("../../../../fixtures/wire/answers/runtime.json");
    let info: Value = serde_json::from_str(body).expect("JSON");
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nyoi-runtime-id: {}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        info["runtime_id"].as_str().expect("an id"),
        body.len()
    );
    thread::spawn(move || {
        let mut open = Vec::new();
        for (count, stream) in listener.incoming().enumerate() {
            let mut stream = stream.expect("a connection");
            if count < 3 {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).expect("a request");
                stream.write_all(answer.as_bytes()).expect("taken");
            } else {
                open.push(stream);
            }
        }
    });
    url
}

#[test]
fn who_answers_no_more_is_given_up_on() {
    let url = falls_silent();
    let outcome = check(&url, &["--patience", "3", "--timeout", "60"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let told = "the runtime did not answer in time in 3 checks in a row";
    assert!(outcome.out.contains(told), "{}", outcome.out);
    assert!(
        outcome.out.contains(" could not be stopped"),
        "{}",
        outcome.out
    );
    let outcome = check(&url, &["--patience", "120", "--timeout", "1"]);
    assert_eq!(outcome.code, Some(5), "{outcome:?}");
}

/// That no check failed is no success where none was made.
#[test]
fn who_is_not_checked_to_the_end_is_5() {
    let outcome = check(&falls_silent(), &["--patience", "120", "--timeout", "3"]);
    assert_eq!(outcome.code, Some(5), "{outcome:?}");
    let told = "yoi: the runtime was not checked to the end: 0 of ";
    assert!(outcome.err.starts_with(told), "{outcome:?}");
}

#[test]
fn a_token_is_not_sent_in_the_clear_unasked() {
    let told = check("http://192.0.2.1:9", &["--token-env", "TOKEN"]).told(2);
    assert!(told.ends_with("(--allow-plain-http)\n"), "{told}");
}

#[test]
fn a_strangers_words_cannot_steer_a_terminal() {
    let other = answering(
        "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/problem+json\r\n\
         connection: close\r\n\r\n\
         {\"type\":\"urn:yoi:problem:unauthorized\",\"title\":\"No\",\"status\":401,\
         \"code\":\"unauthorized\",\"detail\":\"a\\u001b[31m\\nb\"}",
    );
    let outcome = check(&other, &[]);
    let is_bad = |c: char| c.is_control() && c != '\n';
    assert!(!outcome.err.contains(is_bad), "{outcome:?}");
    assert_eq!(outcome.err.lines().count(), 1, "{outcome:?}");
}

#[test]
fn who_does_not_answer_is_5() {
    assert_eq!(
        check(&nobody(), &[]).told(5),
        "yoi: runtime_unreachable: nothing answers at this address\n"
    );
}

#[test]
fn who_does_not_let_us_in_is_6() {
    let runtime = runtime();
    for more in [&[][..], &["--token-env", "WRONG"]] {
        let told = check(&runtime.url, more).told(6);
        assert_eq!(told, "yoi: unauthorized: a valid bearer token is needed\n");
    }
}

#[test]
fn a_profile_that_is_none_is_2() {
    let runtime = runtime();
    for flag in ["--profile", "--long-profile"] {
        let told = check(&runtime.url, &["--token-env", "TOKEN", flag, "nope"]).told(2);
        let none = "yoi: there is no profile nope: this Runtime has ";
        assert!(told.starts_with(none) && told.contains("upper"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn where_no_runtime_answers_is_2() {
    let backend = Backend::start();
    assert_eq!(
        check(&backend.url, &[]).told(2),
        "yoi: this is a Backend: give the base URL of one of its Runtimes\n"
    );
}

#[test]
fn one_that_is_draining_is_5() {
    let draining = answering(concat!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nyoi-runtime-id: gpu-1\r\n\
         connection: close\r\n\r\n\
         {\"runtime_id\":\"gpu-1\",\"boot_id\":\"0192f0c1-6f4e-7cc3-98c4-dc0c0c07398f\",",
        "\"api_version\":\"v1\",\"version\":\"1\",\"status\":\"draining\",\"store\":\"memory\",",
        "\"started_at\":\"2025-01-01T00:00:00.000Z\"}"
    ));
    assert_eq!(check(&draining, &[]).told(5), "yoi: it is draining\n");
}

#[test]
fn what_cannot_be_meant_is_2() {
    let told = check("ftp://gpu-1", &[]).told(2);
    assert_eq!(
        told,
        "yoi: the base URL must start with http:// or https://\n"
    );
    let told = check(&nobody(), &["--token-env", "NOT_SET"]).told(2);
    assert!(told.starts_with("yoi: --token-env "), "{told}");
}
