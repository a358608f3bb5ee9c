//! What a configuration makes of a Runtime, whoever reads the file.

use std::collections::BTreeMap;

use worker_runtime::config::{Common, FsConfig, StoreConfig};
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
    let fs = |max_age_ms, max_bytes| {
        let path = "data".into();
        StoreConfig::Fs(FsConfig {
            path,
            max_age_ms,
            max_bytes,
        })
    };
    assert_eq!(store(r#"{"kind":"fs","path":"data"}"#), Ok(fs(None, None)));
    assert_eq!(
        store(r#"{"kind":"fs","path":"data","max_age_ms":5,"max_bytes":1048576}"#),
        Ok(fs(Some(5), Some(1_048_576)))
    );
    let needs = "needs a path with kind = \"fs\"".to_owned();
    assert_eq!(store(r#"{"kind":"fs"}"#), Err(needs.clone()));
    assert_eq!(store(r#"{"kind":"fs","path":""}"#), Err(needs));
    let takes = "takes a path only with kind = \"fs\"".to_owned();
    assert_eq!(store(r#"{"kind":"memory","path":"data"}"#), Err(takes));
    let takes = "takes max_age_ms and max_bytes only with kind = \"fs\"".to_owned();
    for key in ["max_age_ms", "max_bytes"] {
        let json = format!(r#"{{"kind":"memory","{key}":5}}"#);
        assert_eq!(store(&json), Err(takes.clone()));
    }
    for (key, value, rule) in [
        ("max_age_ms", 0, "needs a max_age_ms of at least 1"),
        (
            "max_bytes",
            1_048_575,
            "needs a max_bytes of at least 1048576",
        ),
    ] {
        let json = format!(r#"{{"kind":"fs","path":"data","{key}":{value}}}"#);
        assert_eq!(store(&json), Err(rule.to_owned()));
    }
}

#[test]
fn a_store_does_not_show_its_path() {
    let shown = format!("{:?}", store(r#"{"kind":"fs","path":"/secret/place"}"#));
    assert!(shown.contains("Fs") && !shown.contains("secret"), "{shown}");
}

#[cfg(not(feature = "fs-store"))]
#[tokio::test]
async fn the_durable_store_is_refused_and_not_replaced() {
    use worker_runtime::config::ConfigFault;

    let config = store(r#"{"kind":"fs","path":"data"}"#).expect("a store");
    let fault = Common::default().builder(id(), &config).await.err();
    assert_eq!(fault, Some(ConfigFault::StoreUnsupported));
    assert_eq!(config.owner().await, Err(ConfigFault::StoreUnsupported));
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
        .await
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
        .await
        .expect("a runtime");
    let error = builder.start().await.expect_err("there is no such profile");
    assert!(
        matches!(error, StartError::DefaultProfile { .. }),
        "{error}"
    );
}
