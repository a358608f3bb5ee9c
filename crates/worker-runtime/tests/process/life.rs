use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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
    // The file is looked at once a second.
    let deadline = Instant::now() + PATIENCE;
    while !ask("second, longer").starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < deadline, "the new token never works");
    }
    assert!(
        ask("first").starts_with("HTTP/1.1 401"),
        "the old token still works"
    );
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

#[test]
fn the_second_signal_leaves_no_program_running() {
    let folder = tempfile::tempdir().expect("a folder");
    // Neither the program nor its child ends when it is asked to, and both have a minute.
    let deaf = "trap '' TERM; while :; do sleep 0.05; done";
    let script = format!(
        "({deaf}) & echo $! > $PIDS.part; echo $$ >> $PIDS.part; mv $PIDS.part $PIDS; {deaf}"
    );
    let mut file = "[runtime]\nbind = \"127.0.0.1:0\"\n".to_owned();
    let names = ["a", "b", "c"];
    let pids = names.map(|name| folder.path().join(name));
    for (name, pids) in names.iter().zip(&pids) {
        let profile = format!(
            "[profiles.{name}]\nexecutor = \"command\"\nprogram = \"/bin/sh\"\n\
             args = [\"-c\", {script:?}]\nenv = {{ PIDS = {pids:?} }}\nkill_grace_ms = 60000\n"
        );
        file.push_str(&profile);
    }
    fs::write(folder.path().join("yoi.toml"), file).expect("written");
    let mut serving = Serving::start(&mut worker_runtime(folder.path(), &[]));
    for name in names {
        let create = format!("{{\"worker_id\":\"{name}\",\"profile\":\"{name}\"}}");
        serving.post("/v1/workers", &create);
        serving.post(&format!("/v1/workers/{name}/input"), "{\"content\":\"x\"}");
    }
    let running: Vec<i32> = pids.iter().flat_map(|pids| pids_in(pids)).collect();
    assert_eq!(running.len(), 6);

    serving.signal("TERM");
    wait_until_draining(&serving);
    assert!(running.iter().all(|pid| is_running(*pid)), "they are deaf");
    serving.signal("TERM");
    assert_eq!(serving.ended().code(), Some(1));
    // Killed before the process was gone; the kernel may take a moment.
    let deadline = Instant::now() + PATIENCE;
    while running.iter().any(|pid| is_running(*pid)) {
        if Instant::now() >= deadline {
            let left: Vec<i32> = running.into_iter().filter(|pid| is_running(*pid)).collect();
            left.iter().for_each(|pid| kill(*pid));
            panic!("still there: {left:?}");
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The processes that a script has named in this file, once it has.
fn pids_in(file: &Path) -> Vec<i32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(text) = fs::read_to_string(file) {
            let pid = |line: &str| line.parse().expect("a pid");
            return text.lines().map(pid).collect();
        }
        assert!(Instant::now() < deadline, "the program never began");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A zombie has ended; whoever should reap it may be slow or absent.
fn is_running(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

fn kill(pid: i32) {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.is_ok());
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
