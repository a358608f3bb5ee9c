//! From a file to a Backend.

use yoi_config::{Environment, Loader};
use yoi_testkit::Canaries;
use yoi_workspace_server::{Caller, Plan};

fn environment() -> Environment {
    [
        ("KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
        ("SHORT", "c2hvcnQ="),
        ("TOKEN", "canary-token"),
    ]
    .into_iter()
    .collect()
}

/// Reads, starts, and says what went wrong.
async fn started(text: &str) -> Result<yoi_workspace_server::Backend, String> {
    let environment = environment();
    let loader = Loader::new()
        .text("yoi.toml", text)
        .map_err(|e| e.to_string())?;
    let loader = loader.environment(&environment);
    let plan = Plan::read(loader, &environment).map_err(|e| e.to_string())?;
    plan.settings().map_err(|e| e.to_string())?;
    plan.start().await.map_err(|e| e.to_string())
}

#[tokio::test]
async fn without_a_file_there_is_one_runtime_inside() {
    let backend = started("").await.unwrap();
    backend.probe().await;
    let list = serde_json::to_value(backend.runtimes(&Caller::default())).unwrap();
    assert_eq!(list["runtimes"].as_array().unwrap().len(), 1);
    assert_eq!(list["runtimes"][0]["runtime_id"], "local");
    assert_eq!(list["runtimes"][0]["source"], "embedded");
    assert_eq!(list["runtimes"][0]["status"], "online");
}

#[tokio::test]
async fn the_whole_file_of_the_contract_is_understood() {
    let backend = started(
        r#"
        default_profile = "upper"
        [server]
        bind = "127.0.0.1:0"
        cursor_keys = [{ env = "KEY" }]
        tokens = [{ name = "alice", secret = { env = "TOKEN" } }]
        allowed_hosts = ["yoi.example"]
        allowed_origins = ["https://yoi.example"]
        header_timeout_ms = 10000
        drain_timeout_ms = 10000
        [[runtimes]]
        id = "local"
        kind = "embedded"
        store = { kind = "memory" }
        [[runtimes]]
        id = "gpu-1"
        kind = "remote"
        display_name = "GPU box"
        base_url = "https://gpu-1.example/base"
        token = { env = "TOKEN" }
        visible = true
        allow = ["workers.list", "events"]
        timeouts = { connect_ms = 1, response_ms = 2, request_ms = 3, list_ms = 4 }
        retry = { max_attempts = 2, budget_percent = 10, budget_per_second = 5 }
        circuit = { failures = 3, pause_ms = 500 }
        bulkhead = { max_calls = 32 }
        [[runtimes]]
        id = "veiled"
        kind = "embedded"
        visible = false
        [runtime]
        id = "gpu-1"
        bind = "127.0.0.1:7401"
        anything = "that a standalone runtime reads"
        [limits]
        max_workers = 7
        [profiles.upper]
        executor = "command"
        program = "tr"
        args = ["a-z", "A-Z"]
        "#,
    )
    .await
    .unwrap();
    backend.probe().await;
    let list = backend.runtimes(&Caller::default()).runtimes;
    let names: Vec<_> = list.iter().map(|r| r.display_name.as_str()).collect();
    assert_eq!(names, ["GPU box", "local"]);
    let local = backend
        .runtime(&Caller::default(), &list[1].runtime_id)
        .unwrap();
    assert_eq!(local.limits.unwrap().max_workers, 7);
    assert!(local.profiles.iter().any(|profile| profile.name == "upper"));
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_place_and_never_its_value() {
    let mut canaries = Canaries::new();
    canaries.watch("an address", "canary.example");
    canaries.watch("a token", "canary-token");
    canaries.watch("a path", "/canary/path");
    let remote = "[[runtimes]]\nid = \"r\"\nkind = \"remote\"\n";
    let embedded = "[[runtimes]]\nid = \"r\"\nkind = \"embedded\"\n";
    let cases = [
        ("[server]\nbinds = 1".to_owned(), "yoi.toml:2"),
        ("[server]\ntls = { cert = \"/canary/path\", key = \"k\" }".into(), "server.tls` is not in this version yet"),
        ("[[policy]]\nprincipals = [\"alice\"]".into(), "policy` is not in this version yet"),
        ("[server]\nbind = \"0.0.0.0:0\"".into(), "server.bind` is not loopback"),
        ("[server]\ncursor_keys = [{ env = \"SHORT\" }]".into(), "server.cursor_keys[0]` a cursor key must be 32 bytes"),
        ("[server]\ncursor_keys = [\"canary-token\"]".into(), "must refer to a secret"),
        ("[server]\ntokens = [{ name = \"a\", secret = { env = \"NONE\" } }]".into(), "server.tokens[0].secret` names the variable NONE"),
        ("[server]\ntokens = [{ name = \"a\", secret = { env = \"TOKEN\" } }, { name = \"a\", secret = { env = \"TOKEN\" } }]".into(), "server.tokens[1].name` stands twice"),
        ("[server]\nallowed_origins = [\"canary.example\"]".into(), "allowed_origins[0]"),
        ("[server]\ndrain_timeout_ms = 0".into(), "server.drain_timeout_ms` must be"),
        (format!("{embedded}{embedded}"), "runtimes[1].id` stands twice"),
        (format!("{embedded}colour = 1"), "yoi.toml:4"),
        (format!("{embedded}base_url = \"https://canary.example\""), "runtimes[0].base_url` is only for"),
        (format!("{embedded}store = {{ kind = \"fs\", path = \"/dev/null/canary\" }}"), "runtimes[0].store` names a folder that cannot be used"),
        (format!("{embedded}display_name = \"\""), "runtimes[0].display_name` must be"),
        (remote.to_owned(), "runtimes[0].base_url` is needed"),
        (format!("{remote}base_url = \"http://canary.example\""), "runtimes[0].base_url` must be https://"),
        (format!("{remote}base_url = \"ftp://canary.example\""), "runtimes[0].base_url` cannot be used"),
        (format!("{remote}base_url = \"https://me:canary-token@canary.example\""), "runtimes[0].base_url` cannot be used"),
        (format!("{remote}base_url = \"https://canary.example\"\nallow = [\"workers.destroy\"]"), "yoi.toml:5"),
        (format!("{remote}base_url = \"https://canary.example\"\ntoken = {{ file = \"/canary/path\" }}"), "runtimes[0].token` names a file"),
        (format!("{remote}base_url = \"https://canary.example\"\ntimeouts = {{ list_ms = 0 }}"), "runtimes[0].timeouts.list_ms` must be"),
        (format!("{remote}base_url = \"https://canary.example\"\nretry = {{ max_attempts = 0 }}"), "runtimes[0].retry.max_attempts` must be"),
        (format!("{remote}base_url = \"https://canary.example\"\nretry = {{ budget_percent = 1001 }}"), "runtimes[0].retry.budget_percent` must be"),
        (format!("{remote}base_url = \"https://canary.example\"\nretry = {{ budget_per_second = 1000001 }}"), "runtimes[0].retry.budget_per_second` must be"),
        (format!("{remote}base_url = \"https://canary.example\"\ncircuit = {{ failures = 0 }}"), "runtimes[0].circuit.failures` must be"),
        (format!("{remote}base_url = \"https://canary.example\"\ncircuit = {{ pause_ms = 0 }}"), "runtimes[0].circuit.pause_ms` must be"),
        (format!("{remote}base_url = \"https://canary.example\"\ncircuit = {{ pause_ms = 9, max_pause_ms = 8 }}"), "runtimes[0].circuit.max_pause_ms` must be"),
        (format!("{remote}base_url = \"https://canary.example\"\nbulkhead = {{ max_calls = 0 }}"), "runtimes[0].bulkhead.max_calls` must be"),
        (format!("{remote}base_url = \"https://canary.example\"\nbulkhead = {{ max_waiting = 1000001 }}"), "runtimes[0].bulkhead.max_waiting` must be"),
        (format!("{embedded}circuit = {{ failures = 3 }}"), "runtimes[0].circuit` is only for"),
        (format!("{embedded}retry = {{ max_attempts = 3 }}"), "runtimes[0].retry` is only for"),
        (format!("{embedded}bulkhead = {{ max_calls = 3 }}"), "runtimes[0].bulkhead` is only for"),
        ("default_profile = \"none\"".into(), "default_profile` must name"),
        ("[profiles.p]\nexecutor = \"none\"".into(), "profiles.p.executor` must be"),
    ];
    for (text, expected) in cases {
        let error = started(&text).await.expect_err(&text);
        assert!(error.contains(expected), "{text}\n{error}");
        canaries.check(
            &text
                .lines()
                .next()
                .unwrap_or_default()
                .replace("canary", ""),
            &error,
        );
    }
}

#[tokio::test]
async fn plain_http_is_taken_to_this_machine_and_where_it_is_allowed() {
    for (address, allowed, fine) in [
        ("http://127.0.0.1:1", false, true),
        ("http://[::1]:1", false, true),
        ("http://localhost:1", false, true),
        ("http://LOCALHOST", false, true),
        ("http://localhost.example:1", false, false),
        ("http://127.0.0.1.example", false, false),
        ("http://10.0.0.1:1", false, false),
        ("http://10.0.0.1:1", true, true),
        ("HTTP://10.0.0.1:1", false, false),
    ] {
        let text = format!(
            "[[runtimes]]\nid = \"r\"\nkind = \"remote\"\nbase_url = \"{address}\"\nallow_plain_http = {allowed}"
        );
        assert_eq!(started(&text).await.is_ok(), fine, "{address} {allowed}");
    }
}

#[test]
fn the_largest_body_is_that_of_the_file() {
    let environment = environment();
    for (text, bytes) in [("", 1_048_576), ("[limits]\nmax_body_bytes = 4096\n", 4096)] {
        let loader = Loader::new().text("yoi.toml", text).unwrap();
        let plan = Plan::read(loader, &environment).unwrap();
        assert_eq!(plan.settings().unwrap().max_body_bytes, bytes, "{text:?}");
    }
}
