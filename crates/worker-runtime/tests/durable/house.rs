//! A folder that outlives the processes that are started in it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use yoi_testkit::Process;

/// The folder, with a configuration and, in `data`, the store.
pub(crate) struct House {
    folder: TempDir,
}

/// How a start ended that was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Option<i32>,
    /// Its last words.
    pub(crate) told: String,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder }
    }

    /// With this `yoi.toml`.
    pub(crate) fn configured(file: &str) -> Self {
        let house = Self::new();
        fs::write(house.folder.path().join("yoi.toml"), file).expect("written");
        house
    }

    /// Where the store is.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The process on a port of its own, with these arguments beside.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut all = vec!["--bind", "127.0.0.1:0"];
        all.extend(args);
        Process::bare(
            env!("CARGO_BIN_EXE_worker-runtime"),
            self.folder.path(),
            &all,
        )
    }

    /// A start that comes to serve.
    #[track_caller]
    pub(crate) fn start(&self, args: &[&str]) -> Process {
        Process::start(&mut self.command(args))
    }

    /// A start that is killed so long after it began, wherever it is by then.
    pub(crate) fn kill_start(&self, after: Duration) {
        let mut child = self.command(&[]).spawn().expect("the binary starts");
        let until = Instant::now() + after;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            thread::park_timeout(left);
        }
        child.kill().expect("a child can be killed");
        child.wait().expect("what is killed ends");
    }

    /// A start that is killed once this file of the store is there.
    pub(crate) fn kill_start_at(&self, args: &[&str], file: &str) {
        let path = self.data().join(file);
        let mut child = self.command(args).spawn().expect("the binary starts");
        while !path.exists() && child.try_wait().expect("a child").is_none() {
            thread::yield_now();
        }
        child.kill().expect("a child can be killed");
        let status = child.wait().expect("what is killed ends");
        assert_eq!(status.code(), None, "it ended by itself, without {file}");
    }

    /// A start that comes to nothing, and says so without showing where the folder is.
    #[track_caller]
    pub(crate) fn refused(&self, args: &[&str]) -> Refusal {
        let mut child = self.command(args).spawn().expect("the binary starts");
        let code = Process::end_of(&mut child).code();
        let output = child.wait_with_output().expect("read");
        let log = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(output.stdout.is_empty(), "it served: {log}");
        let path = self.folder.path().to_str().expect("UTF-8");
        assert!(!log.contains(path), "it shows the folder: {log}");
        let told = log.lines().last().unwrap_or_default().to_owned();
        Refusal { code, told }
    }
}
