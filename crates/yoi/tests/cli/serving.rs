//! `yoi serve` and `yoi runtime`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Backend;
use crate::backend::{Outcome, yoi};

#[test]
fn without_a_file_it_says_what_to_try_and_that_works() {
    let mut backend = Backend::start();
    let tips: Vec<String> = (0..4).map(|_| backend.server.line()).collect();
    let url = backend.url.clone();
    assert_eq!(
        tips,
        [
            "one runtime, local, in memory. Try in another terminal:".to_owned(),
            format!("  export YOI_BACKEND={url}"),
            "  yoi create --id hello".to_owned(),
            "  yoi send local/hello \"Hello, worker\" --follow".to_owned(),
        ]
    );
    backend.shows(&["create", "--id", "hello"]);
    let answer = backend.shows(&["send", "local/hello", "Hello, worker", "--follow"]);
    assert_eq!(answer, "Hello, worker\n");
}

#[test]
fn a_signal_ends_it_in_order_with_a_run_under_way() {
    let mut backend = Backend::configured(crate::backend::PROFILES);
    backend.shows(&["create", "--id", "w-1", "--profile", "slow"]);
    backend.shows(&["send", "local/w-1", "hello"]);
    backend.server.signal("TERM");
    assert_eq!(backend.server.ended().code(), Some(0));
}

#[test]
fn the_second_signal_ends_it_at_once_and_not_well() {
    let mut backend = Backend::start();
    // A request that never ends keeps the first signal busy for as long as it may.
    let _slow = backend.server.kept_busy("/api/runtimes/local/workers");
    backend.server.signal("TERM");
    backend.server.until_draining();
    backend.server.signal("INT");
    assert_eq!(backend.server.ended().code(), Some(1));
}

#[test]
fn the_second_signal_leaves_no_program_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let named = folder.path().join("pid");
    // It does not end when it is asked to, and has a minute.
    let script = format!(
        "trap '' TERM; echo $$ > {0}.part; mv {0}.part {0}; while :; do sleep 0.05; done",
        named.display()
    );
    let mut backend = Backend::configured(&format!(
        "[profiles.deaf]\nexecutor = \"command\"\nprogram = \"/bin/sh\"\n\
         args = [\"-c\", {script:?}]\nkill_grace_ms = 60000\n\
         [[runtimes]]\nid = \"local\"\nkind = \"embedded\"\n"
    ));
    backend.shows(&["create", "--id", "w-1", "--profile", "deaf"]);
    backend.shows(&["send", "local/w-1", "hello"]);
    wait_until("the program runs", || named.exists());
    let program = Program::named_in(&named);
    backend.server.signal("TERM");
    backend.server.until_draining();
    assert!(program.is_running(), "it is deaf");
    backend.server.signal("TERM");
    assert_eq!(backend.server.ended().code(), Some(1));
    // Killed before the process was gone; the kernel may take a moment.
    wait_until("the program is gone", || !program.is_running());
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A program that a run has started. A test that fails leaves it to nobody.
struct Program {
    pid: String,
}

impl Program {
    fn named_in(file: &Path) -> Self {
        let pid = fs::read_to_string(file).expect("a pid").trim().to_owned();
        Self { pid }
    }

    /// A zombie has ended; whoever should reap it may be slow or absent.
    fn is_running(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() && self.is_running() {
            let _ = Command::new("kill").args(["-9", &self.pid]).status();
        }
    }
}

#[test]
fn an_address_that_is_taken_is_told() {
    let first = Backend::start();
    let address = first.url.strip_prefix("http://").expect("an address");
    let told = first.run(&["serve", "--bind", address]).told(1);
    // Nothing was begun, so there is nothing else to tell.
    assert_eq!(
        told,
        "yoi: --bind: `server.bind` cannot be listened on: address in use\n"
    );
}

#[test]
fn a_remote_runtime_is_served_through_the_backend() {
    let runtime = Backend::start_with(
        &[
            "runtime",
            "--bind",
            "127.0.0.1:0",
            "--id",
            "far",
            "--token-env",
            "SECRET",
        ],
        None,
    );
    let file = format!(
        "[[runtimes]]\nid = \"far\"\nkind = \"remote\"\nbase_url = \"{}\"\n\
         token = {{ env = \"SECRET\" }}\n[[runtimes]]\nid = \"near\"\nkind = \"embedded\"\n",
        runtime.url
    );
    let backend = Backend::configured(&file);
    let told = backend.run(&["create"]).told(2);
    assert_eq!(
        told,
        "yoi: the Backend has more than one runtime; choose with --runtime: far, near\n"
    );
    for id in ["far", "near"] {
        backend.shows(&["create", "--runtime", id, "--id", "w-1"]);
        let target = format!("{id}/w-1");
        let answer = backend.shows(&["send", &target, "hello", "--follow"]);
        assert_eq!(answer, "hello\n", "from {id}");
    }
    let workers = backend.json(&["workers"]);
    assert_eq!(workers["workers"].as_array().map(Vec::len), Some(2));
}

#[test]
fn every_bad_file_is_refused_with_its_text() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/config/bad/server");
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
        let output = yoi(&folder, &["serve", "--config", name])
            .output()
            .expect("it ran");
        let told = Outcome::of(output).told(2);
        assert_eq!(told, format!("yoi: {expected}"), "for {name}");
        assert!(!told.contains("hunter2"), "{name} shows a value: {told}");
        seen += 1;
    }
    assert!(seen >= 12, "the fixtures are gone: only {seen}");
}

#[test]
fn every_good_file_is_served() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/config/good");
    for name in ["everything.toml", "empty.toml", "durable.toml"] {
        let file = folder.join(name);
        let file = file.to_str().expect("UTF-8");
        let mut backend = Backend::start_with(&["serve", "--config", file], None);
        assert!(backend.shows(&["runtimes"]).contains("local"), "for {name}");
        backend.server.signal("INT");
        assert_eq!(backend.server.ended().code(), Some(0), "for {name}");
    }
}
