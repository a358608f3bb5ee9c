//! What a Runtime says of itself.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};
use yoi_protocol::{
    Capability, Diagnostic, Limits, Operation, Profile, RuntimeInfo, RuntimeState, Severity,
    WorkerCounts,
};

use super::{MAX_COUNT, boot_id, display_name, runtime_id, text, timestamp};

/// One operation.
pub fn operation() -> impl Strategy<Value = Operation> + Clone {
    select(Operation::ALL)
}

/// Something that a Runtime can do: an operation, a way of doing it, or what a later version can.
pub fn capability() -> impl Strategy<Value = Capability> + Clone {
    let ways = [
        Capability::EVENTS_WS,
        Capability::EVENTS_SSE,
        Capability::IDEMPOTENCY,
    ];
    let later = "x_[a-z.]{1,12}".prop_map(|name| {
        serde_json::from_value(Value::from(name)).expect("a capability is any text")
    });
    prop_oneof![
        6 => operation().prop_map(Capability::from),
        3 => select(ways.to_vec()),
        1 => later,
    ]
}

/// How bad something is.
pub fn severity() -> impl Strategy<Value = Severity> + Clone {
    select(&[Severity::Info, Severity::Warning, Severity::Error][..])
}

/// Something that an operator or an observer should know.
pub fn diagnostic() -> impl Strategy<Value = Diagnostic> + Clone {
    (severity(), text(), text()).prop_map(|(severity, code, message)| Diagnostic {
        severity,
        code,
        message,
    })
}

/// Something that Workers can run.
pub fn profile() -> impl Strategy<Value = Profile> + Clone {
    (text(), text(), option::of(text())).prop_map(|(name, executor, description)| Profile {
        name,
        executor,
        description,
    })
}

/// Numbers of Workers that add up to their total.
pub fn worker_counts() -> impl Strategy<Value = WorkerCounts> + Clone {
    let some = || 0..1_u64 << 40;
    (some(), some(), some()).prop_map(|(idle, running, stopped)| WorkerCounts {
        total: idle + running + stopped,
        idle,
        running,
        stopped,
    })
}

/// Limits, each at least 1. All of them are drawn, also those that a later version adds.
///
/// ```
/// use proptest::prelude::*;
/// use yoi_testkit::strategies::limits;
///
/// proptest!(|(limits in limits())| {
///     prop_assert!(limits.entries().iter().all(|(_, value)| *value >= 1));
/// });
/// ```
pub fn limits() -> impl Strategy<Value = Limits> + Clone {
    let names: Vec<_> = Limits::default()
        .entries()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    vec(1..=MAX_COUNT, names.len()).prop_map(move |values| {
        let fields = names.iter().zip(values);
        let fields = fields.map(|(name, value)| ((*name).to_owned(), Value::from(value)));
        let fields = Map::from_iter(fields);
        serde_json::from_value(Value::Object(fields)).expect("the names are those of the limits")
    })
}

/// What a Runtime says of itself.
pub fn runtime_info() -> impl Strategy<Value = RuntimeInfo> + Clone {
    let states = &[RuntimeState::Running, RuntimeState::Draining][..];
    (
        (runtime_id(), boot_id(), option::of(display_name())),
        (text(), text(), select(states)),
        vec(capability(), 0..4),
        vec(profile(), 0..3),
        (worker_counts(), limits()),
        timestamp(),
        vec(diagnostic(), 0..3),
    )
        .prop_map(
            |(
                (runtime_id, boot_id, display_name),
                (version, store, status),
                capabilities,
                profiles,
                (workers, limits),
                started_at,
                diagnostics,
            )| RuntimeInfo {
                runtime_id,
                boot_id,
                display_name,
                api_version: "v1".to_owned(),
                version,
                status,
                store,
                capabilities,
                profiles,
                workers,
                limits,
                started_at,
                diagnostics,
            },
        )
}
