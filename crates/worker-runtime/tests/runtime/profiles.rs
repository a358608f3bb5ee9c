//! Profiles as a configuration file has them.

use std::collections::BTreeMap;

use worker_runtime::ProfileConfig;

fn command() -> ProfileConfig {
    ProfileConfig {
        executor: "command".to_owned(),
        program: Some("cat".to_owned()),
        ..ProfileConfig::default()
    }
}

fn refused(config: &ProfileConfig) -> String {
    config
        .build("p")
        .expect_err("it makes no sense")
        .to_string()
}

#[test]
fn what_is_right_is_built() {
    let spec = command().build("p").unwrap();
    assert_eq!(spec.executor.name(), "command");
    let echo = ProfileConfig {
        executor: "echo".to_owned(),
        description: Some("says it again".to_owned()),
        ..ProfileConfig::default()
    };
    let spec = echo.build("p").unwrap();
    assert_eq!(spec.executor.name(), "echo");
    assert_eq!(spec.description.as_deref(), Some("says it again"));
}

#[test]
fn each_fault_names_its_key() {
    let executor = |name: &str| ProfileConfig {
        executor: name.to_owned(),
        ..command()
    };
    assert!(refused(&executor("")).starts_with("profiles.p.executor must be"));
    assert!(refused(&executor("shell")).starts_with("profiles.p.executor must be"));
    assert!(refused(&executor("echo")).starts_with("profiles.p.program is only for"));
    let without = ProfileConfig {
        program: None,
        ..command()
    };
    assert!(refused(&without).starts_with("profiles.p.program must name"));
    let args = ProfileConfig {
        args: vec!["a\0b".to_owned()],
        ..command()
    };
    assert!(refused(&args).starts_with("profiles.p.args"));
    let env = ProfileConfig {
        env: BTreeMap::from([("A=B".to_owned(), "hunter2".to_owned())]),
        ..command()
    };
    assert!(refused(&env).starts_with("profiles.p.env"));
    assert!(!refused(&env).contains("hunter2"));
    let grace = ProfileConfig {
        kill_grace_ms: Some(60_001),
        ..command()
    };
    assert!(refused(&grace).starts_with("profiles.p.kill_grace_ms"));
}

#[test]
fn debug_shows_no_program_argument_or_variable() {
    let config = ProfileConfig {
        program: Some("/canary/bin".to_owned()),
        args: vec!["canary-arg".to_owned()],
        env: BTreeMap::from([("TOKEN".to_owned(), "canary-token".to_owned())]),
        ..command()
    };
    let shown = format!("{config:?} {:?}", config.build("p").unwrap());
    assert!(!shown.contains("canary"), "{shown}");
}
