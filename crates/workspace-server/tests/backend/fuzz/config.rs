//! Configuration that nobody meant.

use fastrand::Rng;
use yoi_config::{Environment, Loader};
use yoi_testkit::Fuzz;
use yoi_workspace_server::Plan;

use super::spoil;

/// How many cases there are where no time is given.
const CASES: u64 = 2000;

/// What is understood, as it is or but for the secret that stands in it.
const FILES: [&str; 3] = [
    include_str!("../../../../../fixtures/config/good/everything.toml"),
    include_str!("../../../../../fixtures/config/good/durable.toml"),
    r#"
default_profile = "upper"
[server]
bind = "127.0.0.1:7400"
cursor_keys = [{ env = "KEY" }]
tokens = [{ name = "alice", secret = "canary-of-alice" }]
[[runtimes]]
id = "gpu-1"
kind = "remote"
base_url = "https://canary-of-gpu.example"
token = "canary-of-gpu"
timeouts = { connect_ms = 2000, response_ms = 10000, request_ms = 15000, list_ms = 2000 }
retry = { max_attempts = 3, budget_percent = 20, budget_per_second = 10 }
circuit = { failures = 5, pause_ms = 1000, max_pause_ms = 30000 }
bulkhead = { max_calls = 128, max_waiting = 256 }
[limits]
max_workers = 10
[profiles.upper]
executor = "command"
program = "tr"
args = ["a-z", "A-Z"]
"#,
];

fn read(text: &str, environment: &Environment) -> Result<(), String> {
    let loader = Loader::new().text("yoi.toml", text);
    let loader = loader.map_err(|error| format!("{error} {error:?}"))?;
    let plan = Plan::read(loader.environment(environment), environment);
    let plan = plan.map_err(|error| format!("{error} {error:?}"))?;
    let settings = plan.settings();
    settings
        .map(drop)
        .map_err(|error| format!("{error} {error:?}"))
}

#[tokio::test]
async fn configuration_that_nobody_meant_is_refused_with_its_place_and_without_its_secrets() {
    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let environment: Environment = [("KEY", key), ("YOI_CURSOR_KEY", key)]
        .into_iter()
        .collect();
    let mut taken = 0_u64;
    let cases = Fuzz::cases(CASES)
        .run(async |seed| {
            let mut rng = Rng::with_seed(seed);
            let mut text = FILES[rng.usize(..FILES.len())].to_owned();
            for _ in 0..=rng.u8(..2) {
                text = spoil::text(&mut rng, &text);
            }
            match read(&text, &environment) {
                Ok(()) => taken += 1,
                Err(error) if error.contains("canary") => {
                    return Err(format!("{error}\nsays too much of {text}"));
                }
                Err(error) if !error.contains("yoi.toml") && !error.contains('`') => {
                    return Err(format!("{error:?} does not say where, of {text}"));
                }
                Err(_) => {}
            }
            Ok(())
        })
        .await;
    println!("configuration: {cases} cases, {taken} were taken");
    assert!(
        taken * 200 > cases && taken < cases,
        "hardly anything was tried"
    );
}
