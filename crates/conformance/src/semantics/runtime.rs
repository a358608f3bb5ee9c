//! What a Runtime says of itself.

use yoi_protocol::RuntimeState;

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{Verdict, holds, same, unexpected};

checks! { Bench, "runtime";
    says_what_it_is: "a Runtime speaks v1, takes commands, and names its version and its store";
    counts_its_workers: "the Workers by status add up to all of them";
    keeps_its_names: "runtime_id, boot_id and started_at stay the same while it runs";
}

async fn says_what_it_is(bench: &Bench) -> Verdict {
    let info = bench.info();
    same("api_version", info.api_version.as_str(), "v1")?;
    same("status", info.status, RuntimeState::Running)?;
    holds(!info.version.is_empty(), || "version is empty".to_owned())?;
    holds(!info.store.is_empty(), || "store is empty".to_owned())
}

async fn counts_its_workers(bench: &Bench) -> Verdict {
    bench.idle().await?;
    let info = bench.subject().runtime().await;
    let workers = info
        .map_err(|failure| unexpected("reading the runtime", &failure))?
        .workers;
    let parts = [workers.idle, workers.running, workers.stopped];
    let sum = parts.into_iter().fold(0, u64::saturating_add);
    same("idle, running and stopped together", sum, workers.total)?;
    holds(workers.idle > 0, || {
        "idle is 0 while there is an idle worker".to_owned()
    })
}

async fn keeps_its_names(bench: &Bench) -> Verdict {
    let again = bench.subject().runtime().await;
    let again = again.map_err(|failure| unexpected("reading the runtime", &failure))?;
    let first = bench.info();
    same("runtime_id", &again.runtime_id, &first.runtime_id)?;
    same("boot_id", &again.boot_id, &first.boot_id)?;
    same("started_at", again.started_at, first.started_at)
}
