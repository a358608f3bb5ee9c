use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{PATIENCE, Serving, fixtures, worker_runtime};

const ANY_PORT: [&str; 2] = ["--bind", "127.0.0.1:0"];

fn start(args: &[&str]) -> Serving {
    let folder = fixtures();
    let all: Vec<&str> = ANY_PORT.iter().chain(args).copied().collect();
    Serving::start(&mut worker_runtime(&folder, &all))
}

#[test]
fn a_token_from_a_file_is_asked_for_and_may_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, "first\n").expect("written");
    let serving = start(&["--token-file", path.to_str().expect("UTF-8")]);
    let ask =
        |token: &str| serving.get("/v1/runtime", &format!("authorization: Bearer {token}\r\n"));

    assert!(serving.get("/v1/runtime", "").starts_with("HTTP/1.1 401"));
    assert!(serving.get("/healthz", "").starts_with("HTTP/1.1 200"));
    assert!(ask("first").starts_with("HTTP/1.1 200"));
    fs::write(&path, "second, longer\n").expect("written");
    assert!(
        ask("first").starts_with("HTTP/1.1 401"),
        "the old token still works"
    );
    assert!(ask("second, longer").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_token_from_a_variable_is_asked_for() {
    let mut command = worker_runtime(&fixtures(), &["--bind", "127.0.0.1:0", "--token-env", "T"]);
    let serving = Serving::start(command.env("T", "sesame"));
    assert!(serving.get("/v1/runtime", "").starts_with("HTTP/1.1 401"));
    let ok = serving.get("/v1/runtime", "authorization: Bearer sesame\r\n");
    assert!(ok.starts_with("HTTP/1.1 200"), "{ok}");
}

#[test]
fn metrics_are_prometheus_text() {
    let serving = start(&[]);
    serving.get("/v1/runtime", "");
    let metrics = serving.get("/metrics", "");
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    assert!(
        metrics.contains("# TYPE yoi_http_"),
        "nothing was counted: {metrics}"
    );
}

#[test]
fn an_id_is_generated_for_whoever_names_none() {
    let info = start(&[]).get("/v1/runtime", "");
    assert!(info.contains("\"runtime_id\":\"rt-"), "{info}");
}

#[test]
fn the_first_signal_ends_it_in_order() {
    for signal in ["TERM", "INT"] {
        let mut serving = start(&[]);
        serving.signal(signal);
        assert_eq!(serving.ended().code(), Some(0), "after SIG{signal}");
    }
}

#[test]
fn the_second_signal_ends_it_at_once_and_not_well() {
    // A connection in the middle of a request keeps the first signal busy for as long as it may.
    let mut serving = start(&[]);
    let mut slow = TcpStream::connect(serving.address).expect("connected");
    std::io::Write::write_all(&mut slow, b"GET /v1/runtime HTTP/1.1\r\n").expect("sent");
    serving.signal("TERM");
    wait_until_draining(&serving);
    let second = Instant::now();
    serving.signal("TERM");
    assert_eq!(serving.ended().code(), Some(1));
    assert!(
        second.elapsed().as_secs() < 5,
        "it waited for {:?}",
        second.elapsed()
    );
}

/// Readiness is the first thing to go; afterwards nobody may connect at all.
fn wait_until_draining(serving: &Serving) {
    let deadline = Instant::now() + PATIENCE;
    while let Ok(mut stream) = TcpStream::connect(serving.address) {
        let mut answer = String::new();
        let request = format!(
            "GET /readyz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            serving.address
        );
        let _ = std::io::Write::write_all(&mut stream, request.as_bytes());
        let _ = stream.read_to_string(&mut answer);
        if !answer.starts_with("HTTP/1.1 200") {
            return;
        }
        assert!(Instant::now() < deadline, "still ready: {answer}");
    }
}

#[test]
fn an_address_that_is_taken_is_no_fault_of_the_configuration() {
    let first = start(&[]);
    let address = first.address.to_string();
    let output = worker_runtime(&fixtures(), &["--bind", &address])
        .output()
        .expect("it ran");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    let last = told.lines().last().unwrap_or_default();
    assert_eq!(
        last,
        "worker-runtime: --bind: `runtime.bind` cannot be listened on: address in use"
    );
}

#[test]
fn the_log_is_json_when_asked_for() {
    let mut child = worker_runtime(
        &fixtures(),
        &["--bind", "127.0.0.1:0", "--log-format", "json"],
    )
    .stdout(Stdio::null())
    .spawn()
    .expect("the binary starts");
    let stderr = child.stderr.take().expect("piped");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stderr));
    let line = lines.next().expect("a line").expect("readable");
    let sent = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .expect("kill runs");
    assert!(sent.success());
    assert!(crate::ended(&mut child).success());
    let entry: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(entry["level"], "INFO", "{line}");
}
