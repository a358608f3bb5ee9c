//! What a Runtime publishes of its limits. Over the wire alone can it be told which are there.

use yoi_protocol::path;

use super::ask::Wire;
use crate::catalogue::checks;
use crate::unmet::{Verdict, broken, holds};

checks! { Wire, "runtime";
    bounds_itself: "the limits that every Runtime has are published under limits, and none is zero";
}

/// The limits that the contract names.
const NAMED: [&str; 6] = [
    "max_body_bytes",
    "max_input_bytes",
    "max_run_output_bytes",
    "max_page_bytes",
    "max_workers",
    "max_idempotency_keys",
];

async fn bounds_itself(wire: &Wire) -> Verdict {
    let info = wire.get(path::runtime::RUNTIME).send().await?.value(200)?;
    let limits = &info["limits"];
    for name in NAMED {
        // Whoever keeps no keys has no limit on them.
        if name == "max_idempotency_keys" && wire.bench().needs_keys().is_err() {
            continue;
        }
        if limits.get(name).is_none() {
            return Err(broken(format!("limits.{name} is not published")));
        }
    }
    for (name, value) in limits.as_object().into_iter().flatten() {
        holds(value.as_u64().is_some_and(|value| value > 0), || {
            format!("limits.{name} is {value}")
        })?;
    }
    Ok(())
}
