//! Real processes: known by the address that they print, ended with the test.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that any single step may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the last words of a process that did not serve may take to be read.
const FAREWELL: Duration = Duration::from_secs(1);

/// A server in a process of its own, as an operator starts it. Dropped, it is killed.
///
/// It is one whose first line of standard output is `listening on http://…`; what it says on
/// standard error is shown when it does not come to that.
///
/// ```
/// use std::process::Command;
/// use yoi_testkit::Process;
///
/// // Stands for a server that does what it is asked at once.
/// let script = "echo listening on http://127.0.0.1:7401; echo ready; exec sleep 60";
/// let mut process = Process::start(Command::new("sh").args(["-c", script]));
/// assert_eq!(process.url(), "http://127.0.0.1:7401");
/// assert_eq!(process.line(), "ready");
/// process.signal("TERM");
/// assert!(!process.ended().success());
/// ```
#[must_use = "dropped, it is killed"]
pub struct Process {
    child: Child,
    url: String,
    address: SocketAddr,
    lines: Receiver<String>,
}

impl Process {
    /// A command for a binary of this workspace, which cargo built beside the running test. A
    /// package's own binaries are better found by `env!("CARGO_BIN_EXE_…")`.
    ///
    /// # Panics
    /// When it was not built.
    #[must_use]
    pub fn built(program: &str) -> Command {
        let test = std::env::current_exe().expect("a test knows where it is");
        let path = test
            .parent()
            .and_then(Path::parent)
            .expect("tests lie in target/<profile>/deps")
            .join(program);
        assert!(
            path.exists(),
            "{program} is not built: run the tests with `cargo test --workspace`, which builds it"
        );
        Command::new(path)
    }

    /// A command that runs in `folder`, with no variable of whoever runs the test but `PATH`, no
    /// input, and outputs that the test can read.
    #[must_use]
    pub fn bare(program: impl AsRef<OsStr>, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
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

    /// Starts a server, and returns when it says where it listens.
    ///
    /// # Panics
    /// When it does not start, or says something else or nothing, with what it did say.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let lines = read(child.stdout.take().expect("piped"));
        let complaints = read(child.stderr.take().expect("piped"));
        let first = lines.recv_timeout(PATIENCE);
        let told = first.as_ref().ok().and_then(|line| {
            let url = line.strip_prefix("listening on ")?;
            let address = url.strip_prefix("http://")?.parse().ok()?;
            Some((url.to_owned(), address))
        });
        match told {
            Some((url, address)) => Self {
                child,
                url,
                address,
                lines,
            },
            None => {
                let _ = child.kill();
                let _ = child.wait();
                // A child of it may keep the pipe open for as long as it likes.
                let more = || complaints.recv_timeout(FAREWELL).ok();
                let complaints: Vec<String> = std::iter::from_fn(more).collect();
                panic!(
                    "{command:?} did not say where it listens, but {first:?}; on standard error \
                     it said {complaints:#?}"
                );
            }
        }
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next line that it prints on standard output.
    ///
    /// # Panics
    /// When none comes within 20 seconds, or none can come.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let line = self.lines.recv_timeout(PATIENCE);
        line.unwrap_or_else(|why| panic!("the process prints no further line: {why}"))
    }

    /// Sends it a signal by its name: `TERM`, `INT`.
    ///
    /// # Panics
    /// When it is not there any more.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        let sent = sent.expect("this machine has `kill`");
        assert!(sent.success(), "SIG{name} cannot be sent");
    }

    /// Begins a request to `path` whose body never comes, and returns when it is waited for: the
    /// process is busy for as long as the connection is held.
    ///
    /// # Panics
    /// When it does not wait for the body.
    #[track_caller]
    #[must_use = "it is busy until this is dropped"]
    pub fn kept_busy(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("it serves");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: 2\r\nexpect: 100-continue\r\n\r\n",
            self.address
        );
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        stream.write_all(head.as_bytes()).expect("sent");
        let mut told = [0; 12];
        stream.read_exact(&mut told).expect("it answers");
        let told = String::from_utf8_lossy(&told);
        assert_eq!(told, "HTTP/1.1 100", "it does not want the body");
        stream
    }

    /// Waits until it is not ready any more: it answers so, or nobody may connect.
    ///
    /// # Panics
    /// When it stays ready.
    #[track_caller]
    pub fn until_draining(&self) {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(mut stream) = TcpStream::connect(self.address) {
            let request = format!(
                "GET /readyz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
                self.address
            );
            let mut answer = String::new();
            // Cut off is not ready, either.
            let _ = stream.set_read_timeout(Some(PATIENCE));
            let _ = stream.write_all(request.as_bytes());
            let _ = stream.read_to_string(&mut answer);
            if !answer.starts_with("HTTP/1.1 200") {
                return;
            }
            assert!(Instant::now() < deadline, "still ready: {answer}");
        }
    }

    /// Waits until it has ended, and says how.
    ///
    /// # Panics
    /// When it does not end within 20 seconds.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        Self::end_of(&mut self.child)
    }

    /// Waits until a process has ended that is no server, and says how. One that does not is
    /// killed.
    ///
    /// # Panics
    /// When it does not end within 20 seconds.
    #[track_caller]
    pub fn end_of(child: &mut Child) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                return status;
            }
            if Instant::now() >= deadline {
                let _ = child.kill();
                panic!("the process did not end within {PATIENCE:?}");
            }
            thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// Kills it as a power cut would: with no signal that it could answer.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("what is killed ends");
    }
}

/// Reads to the end, so that the process never blocks on a full pipe.
fn read(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (lines, heard) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // Nobody may want to know; the pipe is emptied all the same.
            let _ = lines.send(line);
        }
    });
    heard
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("id", &self.child.id())
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
