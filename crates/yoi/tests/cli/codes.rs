//! Every exit code, and what is told with it.

use crate::Backend;
use crate::backend::{Outcome, PROFILES, yoi};

#[test]
fn usage_and_configuration_are_2() {
    let backend = Backend::start();
    for args in [
        &["fly"][..],
        &["send", "local/w-1"],
        &["send", "no-runtime", "text"],
        &["send", "local/Not An Id", "text"],
        &["create", "--id", "Not An Id"],
        &["workers", "--backend"],
        &["stop", "local/w-1", "--key", "two words"],
    ] {
        let told = backend.run(args).told(2);
        assert!(told.contains("error: "), "{told}");
    }
    let told = backend.run(&["create", "--profile", "none-such"]).told(2);
    assert!(
        told.starts_with("yoi: invalid_request: /profile: "),
        "{told}"
    );
    assert_eq!(
        backend
            .run(&["workers", "--backend", "ftp://127.0.0.1"])
            .told(2),
        "yoi: the base URL must start with http:// or https://\n"
    );
    assert_eq!(
        backend
            .run(&["workers", "--token-file", "none-such"])
            .told(2),
        "yoi: --token-file names a file that cannot be read: entity not found\n"
    );
}

#[test]
fn what_is_not_there_is_3() {
    let backend = Backend::start();
    assert_eq!(
        backend.run(&["send", "local/none-such", "text"]).told(3),
        "yoi: worker_not_found: there is no worker none-such\n\
         effect: none: nothing was changed\n"
    );
    assert_eq!(
        backend.run(&["transcript", "elsewhere/w-1"]).told(3),
        "yoi: runtime_not_found: there is no runtime elsewhere\n"
    );
    let told = backend.run(&["watch", "local/none-such"]).told(3);
    assert!(told.starts_with("yoi: worker_not_found: "), "{told}");
    assert_eq!(
        backend
            .run(&["workers", "--runtime", "elsewhere", "--json"])
            .told(3),
        "yoi: runtime_not_found: there is no runtime elsewhere\n"
    );
}

#[test]
fn what_is_in_the_way_is_4() {
    let backend = Backend::configured(PROFILES);
    backend.shows(&["create", "--id", "w-1", "--profile", "slow"]);
    assert_eq!(
        backend.run(&["create", "--id", "w-1"]).told(4),
        "yoi: worker_already_exists: worker w-1 exists already\n\
         effect: none: nothing was changed\n"
    );
    let run = backend.json(&["send", "local/w-1", "one"])["run_id"].clone();
    assert_eq!(
        backend.run(&["send", "local/w-1", "two"]).told(4),
        format!(
            "yoi: worker_busy: worker w-1 is running {}\neffect: none: nothing was changed\n",
            run.as_str().expect("an id")
        )
    );
    backend.shows(&["stop", "local/w-1"]);
    assert_eq!(
        backend.run(&["send", "local/w-1", "three"]).told(4),
        "yoi: worker_stopped: worker w-1 is stopped for good\n\
         effect: none: nothing was changed\n"
    );
}

#[test]
fn who_does_not_answer_is_5() {
    // A port that was free a moment ago, with nobody behind it.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let folder = tempfile::tempdir().expect("a folder");
    let nobody = format!("http://127.0.0.1:{port}");
    let told = Outcome::of(
        yoi(folder.path(), &["runtimes", "--backend", &nobody])
            .output()
            .expect("it ran"),
    )
    .told(5);
    assert_eq!(
        told,
        "yoi: runtime_unreachable: nothing answers at the Backend's address; \
         is `yoi serve` running? (--backend or YOI_BACKEND name another)\n"
    );

    let remote =
        format!("[[runtimes]]\nid = \"far\"\nkind = \"remote\"\nbase_url = \"{nobody}\"\n");
    let backend = Backend::configured(&remote);
    let told = backend.run(&["create", "--runtime", "far"]).told(5);
    // Who has failed to reach it often leaves it alone for a while.
    let codes = ["runtime_unreachable", "runtime_unavailable"];
    let begins = |code| told.starts_with(&format!("yoi: {code}: runtime far "));
    assert!(codes.into_iter().any(begins), "{told}");
    assert!(
        !told.contains(&port.to_string()),
        "the address of a runtime is shown: {told}"
    );
}

#[test]
fn who_is_not_let_in_is_6() {
    let file = "[server]\ntokens = [{ name = \"alice\", secret = { env = \"SECRET\" } }]\n\
                [[runtimes]]\nid = \"local\"\nkind = \"embedded\"\n\
                allow = [\"workers.list\", \"workers.get\"]\n";
    let backend = Backend::configured(file);
    let with = |token: Option<&str>, args: &[&str]| {
        let mut command = backend.command(args);
        command.envs(token.map(|token| ("YOI_TOKEN", token)));
        Outcome::of(command.output().expect("it ran"))
    };
    assert_eq!(
        with(None, &["runtimes"]).told(6),
        "yoi: unauthorized: a valid bearer token is needed\n"
    );
    let told = with(Some("guessed"), &["runtimes"]).told(6);
    assert!(
        told.starts_with("yoi: unauthorized: ") && !told.contains("guessed"),
        "{told}"
    );
    assert!(
        with(Some("sesame"), &["runtimes"])
            .shown(0)
            .contains("local")
    );
    assert_eq!(
        with(Some("sesame"), &["create"]).told(6),
        "yoi: operation_denied: workers.create is not allowed on runtime local\n\
         effect: none: nothing was changed\n"
    );

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    std::fs::write(&path, "sesame\n").expect("written");
    let path = path.to_str().expect("UTF-8");
    let of_file = with(Some("guessed"), &["runtimes", "--token-file", path]);
    assert!(
        of_file.shown(0).contains("local"),
        "the flag wins over the variable"
    );
}

#[test]
fn closing_our_output_is_no_fault() {
    let backend = Backend::start();
    backend.shows(&["create", "--id", "w-1"]);
    let mut child = backend
        .command(&["watch", "local/w-1"])
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    backend.shows(&["send", "local/w-1", "hello", "--follow"]);
    let status = child.wait().expect("it ended");
    assert_eq!(status.code(), Some(0));
}
