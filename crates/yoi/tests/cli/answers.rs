//! What each command shows: to people, and to programs.

use serde_json::json;

use crate::backend::{PROFILES, create_many};
use crate::{Backend, shape};

#[test]
fn runtimes_are_a_table_or_the_document_of_the_api() {
    let backend = Backend::start();
    assert_eq!(
        shape(&backend.shows(&["runtimes"])),
        "RUNTIME  NAME  SOURCE  STATUS  CIRCUIT  WORKERS  LAST ERROR\n\
         local  local  embedded  online  -  0  -"
    );
    let document = backend.json(&["runtimes"]);
    assert_eq!(document["runtimes"][0]["runtime_id"], "local");
    assert_eq!(document["runtimes"][0]["source"], "embedded");
}

#[test]
fn a_worker_is_created_shown_and_listed() {
    let backend = Backend::start();
    assert_eq!(
        shape(&backend.shows(&["create", "--id", "w-1", "--name", "First one"])),
        "TARGET  NAME  STATUS  PROFILE  UPDATED\n\
         local/w-1  First one  idle  echo  <time>"
    );
    let second = backend.json(&[
        "create",
        "--runtime",
        "local",
        "--id",
        "w-2",
        "--profile",
        "echo",
    ]);
    assert_eq!(second["worker_id"], "w-2");
    assert_eq!(second["status"], "idle");
    let generated = backend.json(&["create"]);
    let id = generated["worker_id"].as_str().expect("an id");
    assert!(id.starts_with("w-"), "{generated}");
    backend.shows(&["stop", &format!("local/{id}")]);

    let workers = shape(&backend.shows(&["workers"]));
    let expected = format!(
        "TARGET  NAME  STATUS  PROFILE  UPDATED\n\
         local/{id}  -  stopped  echo  <time>\n\
         local/w-1  First one  idle  echo  <time>\n\
         local/w-2  -  idle  echo  <time>"
    );
    assert_eq!(sorted(&workers), sorted(&expected));
    assert_eq!(
        shape(&backend.shows(&["workers", "--runtime", "local"])),
        workers
    );

    let all = backend.json(&["workers"]);
    assert_eq!(all["workers"].as_array().map(Vec::len), Some(3));
    assert_eq!(all["incomplete"], json!([]));
    let of_one = backend.json(&["workers", "--runtime", "local"]);
    assert_eq!(of_one["workers"], all["workers"]);
    assert_eq!(of_one.get("incomplete"), None);
}

fn sorted(lines: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_list_is_shown_over_all_its_pages() {
    let backend = Backend::start();
    let created = create_many(&backend, 1003);
    let all = backend.json(&["workers"]);
    let shown: Vec<&str> = all["workers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|worker| worker["worker_id"].as_str().expect("an id"))
        .collect();
    assert_eq!(shown, created);
    assert_eq!(all.get("next_page"), None, "one document, no page of it");
    let of_one = backend.json(&["workers", "--runtime", "local"]);
    assert_eq!(of_one["workers"], all["workers"]);
}

#[test]
fn an_input_is_accepted_and_found_in_the_transcript() {
    let backend = Backend::configured(PROFILES);
    backend.shows(&["create", "--id", "w-1", "--profile", "upper"]);
    assert_eq!(
        shape(&backend.shows(&["send", "local/w-1", "hello"])),
        "<run> of local/w-1 runs, from sequence 1"
    );
    backend.wait_until_idle("local/w-1");
    let accepted = backend.json(&["send", "local/w-1", "again"]);
    assert_eq!(accepted["sequence"], 3);
    backend.wait_until_idle("local/w-1");
    assert_eq!(
        shape(&backend.shows(&["transcript", "local/w-1"])),
        "SEQUENCE  AT  ROLE  CONTENT\n\
         1  <time>  user  hello\n\
         2  <time>  assistant  HELLO\n\
         3  <time>  user  again\n\
         4  <time>  assistant  AGAIN"
    );
    let transcript = backend.json(&["transcript", "local/w-1"]);
    assert_eq!(transcript["first_sequence"], 1);
    assert_eq!(transcript["entries"][3]["content"], "AGAIN");
}

#[test]
fn cancel_and_stop_tell_what_they_did() {
    let backend = Backend::configured(PROFILES);
    backend.shows(&["create", "--id", "w-1", "--profile", "slow"]);
    assert_eq!(
        backend.shows(&["cancel", "local/w-1"]),
        "nothing to cancel: local/w-1 has no active run\n"
    );
    backend.shows(&["send", "local/w-1", "hello"]);
    assert_eq!(
        shape(&backend.shows(&["cancel", "local/w-1"])),
        "cancelled <run> of local/w-1"
    );
    let run = backend.json(&["send", "local/w-1", "hello"])["run_id"].clone();
    let cancelled = backend.json(&["cancel", "local/w-1"]);
    assert_eq!(cancelled["cancelled_run_id"], run);
    assert_eq!(cancelled["worker"]["status"], "idle");
    assert_eq!(
        shape(&backend.shows(&["stop", "local/w-1"])),
        "TARGET  NAME  STATUS  PROFILE  UPDATED\n\
         local/w-1  -  stopped  slow  <time>"
    );
    assert_eq!(
        backend.json(&["stop", "local/w-1"])["worker"]["status"],
        "stopped"
    );
}

#[test]
fn a_dash_sends_standard_input() {
    let backend = Backend::start();
    backend.shows(&["create", "--id", "w-1"]);
    let sent = backend.run_with(
        &["send", "local/w-1", "-", "--follow"],
        "über\nlines\n".as_bytes(),
    );
    assert_eq!(sent.shown(0), "über\nlines\n");
    let not_text = backend.run_with(&["send", "local/w-1", "-"], &[0xff, 0xfe]);
    assert_eq!(not_text.told(2), "yoi: standard input is not UTF-8 text\n");
    let dashes = backend.run(&["send", "local/w-1", "--follow", "--", "-- not a flag"]);
    assert_eq!(dashes.shown(0), "-- not a flag\n");
}

#[test]
fn runtimes_that_do_not_answer_are_noted_beside_the_list() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port that was free a moment ago")
        .port();
    let file = format!(
        "{PROFILES}\n[[runtimes]]\nid = \"far\"\nkind = \"remote\"\n\
         base_url = \"http://127.0.0.1:{port}\"\n"
    );
    let backend = Backend::configured(&file);
    backend.shows(&["create", "--runtime", "local", "--id", "w-1"]);
    // Who has failed to reach it often leaves it alone for a while.
    let codes = ["runtime_unreachable", "runtime_unavailable"];
    let listed = backend.run(&["workers"]);
    let note = |code| format!("workers of runtime far may be missing: {code}\n");
    assert!(codes.map(note).contains(&listed.err), "{listed:?}");
    assert!(listed.shown(0).contains("local/w-1"));
    let document = backend.json(&["workers"]);
    let incomplete = &document["incomplete"];
    let missing = |code| json!([{"runtime_id": "far", "code": code}]);
    assert!(codes.map(missing).contains(incomplete), "{incomplete}");
}
