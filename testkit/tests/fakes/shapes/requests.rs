//! The bodies that are sent, against the document that the server gives of itself.

use serde_json::Value;
use yoi_testkit::{TestBackend, fixtures};

use super::ledger::Ledger;

/// The fixtures of each body, by the name of its schema.
const BODIES: &[(&str, &[&str])] = &[
    (
        "CreateWorker",
        &[
            "create_worker",
            "create_worker_default",
            "create_worker_everything",
        ],
    ),
    ("InputRequest", &["input", "input_of_kind"]),
    ("CancelRequest", &["cancel", "cancel_run"]),
    ("StopRequest", &["stop", "stop_with_reason"]),
];

pub(super) async fn walk() -> Ledger {
    let mut ledger = Ledger::default();
    let backend = TestBackend::builder().embedded("local").start().await;
    let openapi = backend
        .browser()
        .ask("GET", "/api/openapi.json")
        .await
        .expect(200)
        .json();
    for (schema, names) in BODIES {
        let schema_of = &openapi["components"]["schemas"][schema]["properties"];
        let documented = fields(schema_of);
        assert!(!documented.is_empty(), "the document has no {schema}");
        let mut depicted: Vec<String> = names
            .iter()
            .flat_map(|name| fields(&ledger.taken(&format!("requests/{name}"))))
            .collect();
        depicted.sort_unstable();
        depicted.dedup();
        if documented != depicted {
            ledger.fault(format!(
                "{schema}: documented {documented:?}, depicted {depicted:?}"
            ));
        }
    }
    // What no profile grants is refused, not dropped.
    let everything = fixtures::get("requests/create_worker_everything").json();
    let refused = backend
        .browser()
        .ask("POST", "/api/runtimes/local/workers")
        .json(&everything);
    let _refused = refused.await.expect(501);
    ledger
}

fn fields(object: &Value) -> Vec<String> {
    let mut fields: Vec<_> = object
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    fields.sort_unstable();
    fields
}
