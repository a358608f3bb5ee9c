//! Real processes: started on a free port, known by the address they print, ended with the test.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a process may take to listen or to end before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server process that listens on a loopback port of its own. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    base_url: String,
}

impl Process {
    /// Starts `program` and waits until it says where it listens.
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(built(program))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));

        let (lines, heard) = mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("piped")),
            Box::new(child.stderr.take().expect("piped")),
        ];
        for stream in streams {
            let lines = lines.clone();
            // Reads on to the end, so that the process never blocks on a full pipe.
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = lines.send(line);
                }
            });
        }
        drop(lines);

        let mut said = Vec::new();
        loop {
            match heard.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some((_, address)) = line.split_once("listening on ") {
                        let base_url = address.trim().to_owned();
                        return Self { child, base_url };
                    }
                    said.push(line);
                }
                Err(gone) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    panic!("{program} never said where it listens ({gone}); it said {said:#?}");
                }
            }
        }
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Kills it as a power cut would: no signal that it could answer.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary that cargo built beside this test.
fn built(program: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let path = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("tests lie in target/<profile>/deps")
        .join(program);
    assert!(
        path.exists(),
        "{program} is not built: run the tests with `cargo test --workspace`, which builds it"
    );
    path
}
