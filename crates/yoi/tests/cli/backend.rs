//! A `yoi serve` of a test's own, and the commands that talk to it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use yoi_testkit::Process;

/// The longest that any single step may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Profiles for the tests: one that shouts, one that is never done, one that fails.
pub(crate) const PROFILES: &str = r#"
[profiles.upper]
executor = "command"
program = "tr"
args = ["a-z", "A-Z"]

[profiles.slow]
executor = "command"
program = "sleep"
args = ["600"]
kill_grace_ms = 100

[profiles.failing]
executor = "command"
program = "false"

[[runtimes]]
id = "local"
kind = "embedded"
"#;

/// A command for the binary, in a folder and with no variables of ours.
pub(crate) fn yoi(folder: &Path, args: &[&str]) -> Command {
    Process::bare(env!("CARGO_BIN_EXE_yoi"), folder, args)
}

/// A server that is killed when the test is done with it.
pub(crate) struct Backend {
    pub(crate) folder: TempDir,
    pub(crate) server: Process,
    pub(crate) url: String,
}

impl Backend {
    /// A Backend with nothing but its defaults.
    pub(crate) fn start() -> Self {
        Self::start_with(&["serve", "--bind", "127.0.0.1:0"], None)
    }

    /// A Backend with this `yoi.toml`, on a port of its own.
    pub(crate) fn configured(file: &str) -> Self {
        Self::start_with(&["serve", "--bind", "127.0.0.1:0"], Some(file))
    }

    pub(crate) fn start_with(args: &[&str], file: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        if let Some(file) = file {
            fs::write(folder.path().join("yoi.toml"), file).expect("written");
        }
        let server = Process::start(yoi(folder.path(), args).env("SECRET", "sesame"));
        let url = server.url().to_owned();
        Self {
            folder,
            server,
            url,
        }
    }

    /// Kills the server as a power cut would, and starts it again with these arguments in the same
    /// folder.
    pub(crate) fn kill_and_start(&mut self, args: &[&str]) {
        self.server.kill();
        self.server = Process::start(&mut yoi(self.folder.path(), args));
        self.url = self.server.url().to_owned();
    }

    /// A command against this Backend.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = yoi(self.folder.path(), args);
        command.env("YOI_BACKEND", &self.url);
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        Outcome::of(self.command(args).output().expect("it ran"))
    }

    /// Runs a command with this standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Outcome {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(input).expect("taken");
        drop(stdin);
        Outcome::of(child.wait_with_output().expect("it ran"))
    }

    /// Runs a command that must succeed, and gives what it shows.
    pub(crate) fn shows(&self, args: &[&str]) -> String {
        self.run(args).shown(0)
    }

    /// Runs a command with `--json` that must succeed, and gives its one document.
    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        let with_json: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let shown = self.shows(&with_json);
        assert_eq!(shown.lines().count(), 1, "not one line: {shown}");
        serde_json::from_str(&shown).expect("JSON")
    }

    /// Waits until the Worker has no run.
    pub(crate) fn wait_until_idle(&self, target: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let workers = self.shows(&["workers"]);
            let row = workers.lines().find(|line| line.contains(target));
            if row.is_some_and(|row| row.contains(" idle ")) {
                return;
            }
            assert!(Instant::now() < deadline, "{target} is not idle: {workers}");
        }
    }
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    pub(crate) fn of(output: Output) -> Self {
        let outcome = Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        };
        let is_coloured = outcome.out.contains('\u{1b}') || outcome.err.contains('\u{1b}');
        assert!(!is_coloured, "colours, and no terminal: {outcome:?}");
        outcome
    }

    /// What it shows, when it ended with this code.
    pub(crate) fn shown(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.out
    }

    /// What it says is wrong, when it ended with this code and showed nothing.
    pub(crate) fn told(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "it showed something: {self:?}");
        self.err
    }
}

/// Creates Workers `w-0000`, `w-0001`, … over one connection, and gives their ids.
pub(crate) fn create_many(backend: &Backend, count: usize) -> Vec<String> {
    let mut connection = Connection::to(backend);
    (0..count)
        .map(|number| {
            let id = format!("w-{number:04}");
            let body = format!("{{\"worker_id\":\"{id}\"}}");
            let (status, _) = connection.ask("POST", "/api/runtimes/local/workers", &body);
            assert_eq!(status, 201, "for {id}");
            id
        })
        .collect()
}

/// Sends a Worker inputs over one connection, and waits for the end of each run.
pub(crate) fn run_many(backend: &Backend, worker: &str, count: usize) {
    let mut connection = Connection::to(backend);
    let path = format!("/api/runtimes/local/workers/{worker}");
    for _ in 0..count {
        let input = format!("{path}/input");
        let (status, body) = connection.ask("POST", &input, "{\"content\":\"more\"}");
        assert_eq!(status, 202, "{body}");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, worker) = connection.ask("GET", &path, "");
            if worker["status"] == "idle" {
                break;
            }
            assert!(Instant::now() < deadline, "it is not idle: {worker}");
        }
    }
}

/// One connection for many requests: to start a program for each takes its time.
struct Connection {
    address: String,
    requests: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Connection {
    fn to(backend: &Backend) -> Self {
        let address = backend.url.strip_prefix("http://").expect("an address");
        let requests = TcpStream::connect(address).expect("connected");
        requests.set_read_timeout(Some(PATIENCE)).expect("set");
        Self {
            address: address.to_owned(),
            answers: BufReader::new(requests.try_clone().expect("cloned")),
            requests,
        }
    }

    /// Sends a request, and gives the status and the body of its answer.
    fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, serde_json::Value) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.requests.write_all(request.as_bytes()).expect("sent");
        next_answer(&mut self.answers)
    }
}

/// Reads one answer whole.
fn next_answer(answers: &mut impl BufRead) -> (u16, serde_json::Value) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(
            answers.read_line(&mut head).expect("a line") > 0,
            "cut: {head}"
        );
    }
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .expect("a length");
    let mut body = vec![0; length];
    answers.read_exact(&mut body).expect("a body");
    let status = head.split(' ').nth(1);
    let status = status.and_then(|status| status.parse().ok());
    let body = serde_json::from_slice(&body).expect("JSON");
    (status.expect("a status"), body)
}
