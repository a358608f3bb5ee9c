//! The process `worker-runtime`, as an operator meets it.

mod configuration;
mod life;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use yoi_testkit::Process;

/// The longest that any single step may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/config")
}

/// A command for the binary, in a folder and with no variables of ours.
fn worker_runtime(folder: &Path, args: &[&str]) -> Command {
    Process::bare(env!("CARGO_BIN_EXE_worker-runtime"), folder, args)
}

/// Sends a GET and gives status line and body.
fn get(serving: &Process, path: &str, headers: &str) -> String {
    ask(serving, "GET", path, headers, "")
}

fn ask(serving: &Process, method: &str, path: &str, headers: &str, body: &str) -> String {
    let address = serving.address();
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    // At once: a head has to be whole within a time.
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

/// Sends a POST that is taken.
fn post(serving: &Process, path: &str, body: &str) {
    let length = body.len();
    let head = format!("content-type: application/json\r\ncontent-length: {length}\r\n");
    let answer = ask(serving, "POST", path, &head, body);
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
}
