//! The process `worker-runtime`, as an operator meets it.

mod configuration;
mod life;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The longest that any single step may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/config")
}

/// A command for the binary, in a folder and with no variables of ours.
fn worker_runtime(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker-runtime"));
    command
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A process that serves, killed when the test is done with it.
struct Serving {
    child: Child,
    address: SocketAddr,
}

impl Serving {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address = line
            .trim_end()
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("not the line that tells the address: {line:?}"))
            .parse()
            .expect("an address");
        Self { child, address }
    }

    /// Sends a GET and gives status line and body.
    fn get(&self, path: &str, headers: &str) -> String {
        self.ask("GET", path, headers, "")
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}\r\n{body}",
            self.address
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    /// Sends a POST that is taken, and gives status line and body.
    fn post(&self, path: &str, body: &str) -> String {
        let length = body.len();
        let head = format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        let answer = self.ask("POST", path, &head, body);
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
        answer
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    fn ended(&mut self) -> ExitStatus {
        ended(&mut self.child)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a process to end.
fn ended(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("waited") {
            return status;
        }
        if Instant::now() >= deadline {
            let _ = child.kill();
            panic!("the process did not end in {PATIENCE:?}");
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
