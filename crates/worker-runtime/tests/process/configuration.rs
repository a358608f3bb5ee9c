use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use yoi_protocol::Limits;

use yoi_testkit::Process;

use crate::{PATIENCE, fixtures, get, post, worker_runtime};

/// Exit code and standard error of a start that fails.
fn refused(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = worker_runtime(folder, args);
    command.envs(variables.iter().copied());
    let mut child = command.spawn().expect("the binary starts");
    let status = Process::end_of(&mut child);
    let output = child.wait_with_output().expect("read");
    assert!(
        output.stdout.is_empty(),
        "nothing was asked for: {output:?}"
    );
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    (status.code(), told)
}

#[test]
fn every_bad_file_is_refused_with_its_text() {
    let folder = fixtures().join("bad/runtime");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).expect("the fixtures") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        let expected = fs::read_to_string(path.with_extension("txt")).expect(name);
        let (code, told) = refused(&folder, &["--config", name], &[]);
        assert_eq!(told, format!("worker-runtime: {expected}"), "for {name}");
        assert_eq!(code, Some(2), "for {name}");
        assert!(!told.contains("hunter2"), "{name} shows a value: {told}");
        seen += 1;
    }
    assert!(seen >= 16, "the fixtures are gone: only {seen}");
}

#[test]
fn every_good_file_is_served() {
    for name in ["everything.toml", "empty.toml"] {
        let folder = fixtures().join("good");
        let mut serving = Process::start(&mut worker_runtime(&folder, &["--config", name]));
        assert!(
            get(&serving, "/readyz", "").starts_with("HTTP/1.1 200"),
            "for {name}"
        );
        serving.signal("TERM");
        assert_eq!(serving.ended().code(), Some(0), "for {name}");
    }
}

#[test]
fn flags_and_variables_are_named_when_they_are_at_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |args: &[&str], variables: &[(&str, &str)]| {
        let (code, told) = refused(folder.path(), args, variables);
        assert_eq!(code, Some(2), "{told}");
        told
    };
    assert_eq!(
        told(&["--bind", "0.0.0.0:0"], &[]),
        "worker-runtime: --bind: `runtime.bind` is not loopback, so a token is needed: set runtime.token, --token-env or --token-file\n"
    );
    #[cfg(not(feature = "fs-store"))]
    assert_eq!(
        told(&["--store", "fs", "--path", "data"], &[]),
        "worker-runtime: --store: `runtime.store` asks for the durable store (kind = \"fs\"), which this build does not have: build it with the feature `fs-store`, or use kind = \"memory\"\n"
    );
    #[cfg(feature = "fs-store")]
    assert_eq!(
        told(&["--store", "fs", "--path", "/dev/null/data"], &[]),
        "worker-runtime: --store: `runtime.store` names a folder that cannot be used: opening it: not a directory\n"
    );
    assert_eq!(
        told(&["--store", "cloud"], &[]),
        "worker-runtime: --store: `runtime.store.kind` must be one of: memory, fs\n"
    );
    assert_eq!(
        told(&["--path", "data"], &[]),
        "worker-runtime: --path: `runtime.store.kind` is missing\n"
    );
    assert_eq!(
        told(&[], &[("YOI_RUNTIME__BIND", "nowhere")]),
        "worker-runtime: YOI_RUNTIME__BIND: `runtime.bind` must be an IP address and a port, like 127.0.0.1:7400 or [::1]:7400\n"
    );
    assert_eq!(
        told(&[], &[("YOI_RUNTIME__TOKEN", "hunter2")]),
        "worker-runtime: YOI_RUNTIME__TOKEN: `runtime.token` must refer to a secret, not be one: { env = \"NAME\" } or { file = \"path\" }\n"
    );
    assert_eq!(
        told(&[], &[("YOI_LOG_FORMAT", "xml")]),
        "worker-runtime: YOI_LOG_FORMAT: must be one of: text, json\n"
    );
    assert_eq!(
        told(&["--config", "none.toml"], &[]),
        "worker-runtime: configuration: the file none.toml cannot be read: entity not found\n"
    );
}

#[test]
fn the_file_of_the_working_folder_is_read_and_flags_win() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = "[runtime]\nid = \"from-file\"\nbind = \"127.0.0.1:0\"\ndisplay_name = \"Shown\"\n";
    fs::write(folder.path().join("yoi.toml"), file).expect("written");
    let info = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = worker_runtime(folder.path(), args);
        let serving = Process::start(command.envs(variables.iter().copied()));
        get(&serving, "/v1/runtime", "")
    };
    let of_file = info(&[], &[]);
    assert!(
        of_file.contains("\"runtime_id\":\"from-file\""),
        "{of_file}"
    );
    assert!(of_file.contains("\"display_name\":\"Shown\""), "{of_file}");
    let variable = ("YOI_RUNTIME__ID", "from-variable");
    assert!(info(&[], &[variable]).contains("\"runtime_id\":\"from-variable\""));
    let of_flag = info(&["--id", "from-flag"], &[variable]);
    assert!(
        of_flag.contains("\"runtime_id\":\"from-flag\""),
        "{of_flag}"
    );
}

/// How long the header and the end may take where no file says so.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

#[test]
fn limits_and_timeouts_of_the_file_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let wanted: Vec<(&str, u64)> = Limits::default()
        .entries()
        .into_iter()
        // Each is another number, and none its default.
        .zip(1..)
        .map(|((name, default), index)| (name, default + index))
        .collect();
    let mut file = "[runtime]\nbind = \"127.0.0.1:0\"\nheader_timeout_ms = 2000\n\
                    drain_timeout_ms = 300\n[limits]\n"
        .to_owned();
    for (name, value) in &wanted {
        file.push_str(&format!("{name} = {value}\n"));
    }
    // It does not end when it is asked to, and has a minute.
    file.push_str(
        "[profiles.deaf]\nexecutor = \"command\"\nprogram = \"/bin/sh\"\nkill_grace_ms = 60000\n\
         args = [\"-c\", \"trap '' TERM; echo deaf; while :; do sleep 0.05; done\"]\n",
    );
    fs::write(folder.path().join("yoi.toml"), file).expect("written");
    let mut serving = Process::start(&mut worker_runtime(folder.path(), &[]));

    let answer = get(&serving, "/v1/runtime", "");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let info: serde_json::Value = serde_json::from_str(body).expect("JSON");
    for (name, value) in wanted {
        assert_eq!(info["limits"][name], value, "{name} of {body}");
    }

    let asked = Instant::now();
    let mut slow = TcpStream::connect(serving.address()).expect("connected");
    slow.set_read_timeout(Some(PATIENCE)).expect("set");
    slow.write_all(b"GET /v1/runtime HTTP/1.1\r\n")
        .expect("sent");
    let mut rest = Vec::new();
    // However it is closed.
    let _ = slow.read_to_end(&mut rest);
    let took = asked.elapsed();
    assert!(took >= Duration::from_secs(2), "cut after {took:?}");
    assert!(took < DEFAULT_TIMEOUT, "cut after {took:?}");

    post(
        &serving,
        "/v1/workers",
        r#"{"worker_id":"w","profile":"deaf"}"#,
    );
    post(&serving, "/v1/workers/w/input", r#"{"content":"x"}"#);
    let asked = Instant::now();
    serving.signal("TERM");
    assert_eq!(serving.ended().code(), Some(0));
    let took = asked.elapsed();
    assert!(took < DEFAULT_TIMEOUT, "ended after {took:?}");
}
