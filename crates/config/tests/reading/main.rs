//! What a loader reads, and what it says of what it cannot read.

mod bind;
mod faults;
mod layers;
mod leaks;
mod secrets;

use serde::Deserialize;
use yoi_config::{ConfigError, Elsewhere, Environment, Loaded, Loader, SecretRef};

/// A configuration with one of everything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    server: Server,
    #[serde(rename = "runtimes")]
    runtimes: Vec<Entry>,
    profiles: std::collections::BTreeMap<String, Profile>,
    default_profile: Option<String>,
    /// Another program's.
    runtime: Elsewhere,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Server {
    bind: String,
    drain_timeout_ms: u64,
    port: u16,
    verbose: bool,
    ratio: f64,
    allowed_hosts: Vec<String>,
    token: Option<SecretRef>,
    mode: Mode,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:7400".to_owned(),
            drain_timeout_ms: 10_000,
            port: 1,
            verbose: false,
            ratio: 1.0,
            allowed_hosts: Vec::new(),
            token: None,
            mode: Mode::Slow,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Slow,
    Fast,
}

#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    store: Option<Store>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Store {
    Memory {},
    Fs { path: String },
}

#[derive(Debug, Deserialize)]
struct Profile {
    kill_grace_ms: u64,
}

fn no_environment() -> Environment {
    Environment::default()
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().copied().collect()
}

fn load(text: &str, environment: &Environment) -> Result<Loaded<Config>, ConfigError> {
    Loader::new()
        .text("yoi.toml", text)?
        .environment(environment)
        .load()
}

/// Everything that is wrong with a text, as people see it.
fn complaint(text: &str) -> String {
    complaint_with(text, &[])
}

fn complaint_with(text: &str, variables: &[(&str, &str)]) -> String {
    load(text, &environment(variables))
        .expect_err("this configuration is wrong")
        .to_string()
}
