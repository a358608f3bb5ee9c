//! What a configuration makes of a Runtime, whoever reads the file.

use std::collections::BTreeMap;

use worker_runtime::config::{Common, ConfigFault, StoreConfig};
use worker_runtime::{CommandContext, ProfileConfig, StartError};
use yoi_protocol::{CreateWorker, Limits, RuntimeId};

fn id() -> RuntimeId {
    RuntimeId::parse("local").expect("an id")
}

fn store(json: &str) -> Result<StoreConfig, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

fn echo() -> ProfileConfig {
    ProfileConfig {
        executor: "echo".to_owned(),
        ..ProfileConfig::default()
    }
}

#[test]
fn a_store_is_in_memory_or_has_a_path() {
    assert_eq!(store(r#"{"kind":"memory"}"#), Ok(StoreConfig::Memory));
    let path = StoreConfig::Fs("data".into());
    assert_eq!(store(r#"{"kind":"fs","path":"data"}"#), Ok(path));
    let needs = "needs a path with kind = \"fs\"".to_owned();
    assert_eq!(store(r#"{"kind":"fs"}"#), Err(needs.clone()));
    assert_eq!(store(r#"{"kind":"fs","path":""}"#), Err(needs));
    let takes = "takes a path only with kind = \"fs\"".to_owned();
    assert_eq!(store(r#"{"kind":"memory","path":"data"}"#), Err(takes));
}

#[test]
fn a_store_does_not_show_its_path() {
    let shown = format!("{:?}", StoreConfig::Fs("/secret/place".into()));
    assert_eq!(shown, "StoreConfig(fs)");
}

#[test]
fn the_durable_store_is_refused_and_not_replaced() {
    let fault = Common::default()
        .builder(id(), &StoreConfig::Fs("data".into()))
        .err();
    assert_eq!(fault, Some(ConfigFault::StoreUnsupported));
}

#[tokio::test]
async fn a_worker_runs_the_default_profile_of_the_configuration() {
    let common = Common {
        default_profile: Some("plain".to_owned()),
        profiles: BTreeMap::from([("plain".to_owned(), echo())]),
        limits: Limits {
            max_workers: 1,
            ..Limits::default()
        },
    };
    let builder = common
        .builder(id(), &StoreConfig::Memory)
        .expect("a runtime");
    let runtime = builder.start().await.expect("started");
    let create = || runtime.create_worker(CreateWorker::default(), CommandContext::default());
    assert_eq!(create().await.expect("created").value.profile, "plain");
    assert!(
        create().await.is_err(),
        "the limit of the configuration holds"
    );
}

#[tokio::test]
async fn a_default_profile_that_is_not_there_keeps_it_from_starting() {
    let common = Common {
        default_profile: Some("plain".to_owned()),
        ..Common::default()
    };
    let builder = common
        .builder(id(), &StoreConfig::Memory)
        .expect("a runtime");
    let error = builder.start().await.expect_err("there is no such profile");
    assert!(
        matches!(error, StartError::DefaultProfile { .. }),
        "{error}"
    );
}
