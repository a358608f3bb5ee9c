use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use yoi_testkit::Process;

use crate::{PATIENCE, fixtures, get, post, worker_runtime};

const ANY_PORT: [&str; 2] = ["--bind", "127.0.0.1:0"];

fn start(args: &[&str]) -> Process {
    let folder = fixtures();
    let all: Vec<&str> = ANY_PORT.iter().chain(args).copied().collect();
    Process::start(&mut worker_runtime(&folder, &all))
}

#[test]
fn a_token_from_a_file_is_asked_for_and_may_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    fs::write(&path, "first\n").expect("written");
    let serving = start(&["--token-file", path.to_str().expect("UTF-8")]);
    let ask = |token: &str| {
        get(
            &serving,
            "/v1/runtime",
            &format!("authorization: Bearer {token}\r\n"),
        )
    };

    assert!(get(&serving, "/v1/runtime", "").starts_with("HTTP/1.1 401"));
    assert!(get(&serving, "/healthz", "").starts_with("HTTP/1.1 200"));
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
    let serving = Process::start(command.env("T", "sesame"));
    assert!(get(&serving, "/v1/runtime", "").starts_with("HTTP/1.1 401"));
    let ok = get(&serving, "/v1/runtime", "authorization: Bearer sesame\r\n");
    assert!(ok.starts_with("HTTP/1.1 200"), "{ok}");
}

#[test]
fn metrics_are_prometheus_text() {
    let serving = start(&[]);
    get(&serving, "/v1/runtime", "");
    let metrics = get(&serving, "/metrics", "");
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    assert!(
        metrics.contains("# TYPE yoi_http_"),
        "nothing was counted: {metrics}"
    );
}

#[test]
fn an_id_is_generated_for_whoever_names_none() {
    let info = get(&start(&[]), "/v1/runtime", "");
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
    let _slow = serving.kept_busy("/v1/workers");
    serving.signal("TERM");
    serving.until_draining();
    serving.signal("TERM");
    assert_eq!(serving.ended().code(), Some(1));
}

#[test]
fn the_second_signal_leaves_no_program_running() {
    let folder = tempfile::tempdir().expect("a folder");
    // Neither the program nor its child ends when it is asked to, and both have a minute.
    let script = "trap '' TERM; sleep 600 & echo $! $$ > $$.part; mv $$.part $$.pids; wait";
    let file = format!(
        "[runtime]\nbind = \"127.0.0.1:0\"\n[profiles.deaf]\nexecutor = \"command\"\n\
         program = \"/bin/sh\"\nargs = [\"-c\", {script:?}]\nkill_grace_ms = 60000\n"
    );
    fs::write(folder.path().join("yoi.toml"), file).expect("written");
    let mut serving = Process::start(&mut worker_runtime(folder.path(), &[]));
    // Many: a process that does not see to it ends some of them nevertheless.
    let count = 32;
    for number in 0..count {
        let create = format!("{{\"worker_id\":\"w-{number}\",\"profile\":\"deaf\"}}");
        post(&serving, "/v1/workers", &create);
        let input = format!("/v1/workers/w-{number}/input");
        post(&serving, &input, "{\"content\":\"x\"}");
    }
    let programs = Programs::named_in(folder.path(), 2 * count);

    serving.signal("TERM");
    serving.until_draining();
    assert_eq!(programs.running().len(), 2 * count, "they are deaf");
    serving.signal("TERM");
    assert_eq!(serving.ended().code(), Some(1));
    // Killed before the process was gone; the kernel may take a moment.
    let deadline = Instant::now() + PATIENCE;
    while !programs.running().is_empty() {
        assert!(Instant::now() < deadline, "left: {:?}", programs.running());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// What runs have started. A test that fails leaves it to nobody.
struct Programs {
    pids: Vec<String>,
}

impl Programs {
    /// Waits until so many are named in the files of a folder.
    fn named_in(folder: &Path, count: usize) -> Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let pids = pids_in(folder);
            if pids.len() >= count {
                return Self { pids };
            }
            assert!(Instant::now() < deadline, "only {} began", pids.len());
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    fn running(&self) -> Vec<&String> {
        self.pids.iter().filter(|pid| is_running(pid)).collect()
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = Command::new("kill").arg("-9").args(self.running()).status();
        }
    }
}

fn pids_in(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("a folder");
    let paths = files.map(|file| file.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "pids"))
        .map(|path| fs::read_to_string(path).expect("readable"))
        .flat_map(|text| {
            let pids = text.split_whitespace().map(str::to_owned);
            pids.collect::<Vec<_>>()
        })
        .collect()
}

/// A zombie has ended; whoever should reap it may be slow or absent.
fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn an_address_that_is_taken_is_no_fault_of_the_configuration() {
    let first = start(&[]);
    let address = first.address().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("data");
    let path = store.to_str().expect("UTF-8");
    let flags = ["--bind", &address, "--store", "fs", "--path", path];
    let output = worker_runtime(&fixtures(), &flags).output();
    let output = output.expect("it ran");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "worker-runtime: --bind: `runtime.bind` cannot be listened on: address in use\n"
    );
    assert!(!store.exists(), "nothing was begun");
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
    assert!(Process::end_of(&mut child).success());
    let entry: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(entry["level"], "INFO", "{line}");
}
