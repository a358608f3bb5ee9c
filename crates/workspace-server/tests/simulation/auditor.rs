//! Who looks when all is over: everything is as it should be, and nothing is left behind.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;
use yoi_client::Call;
use yoi_protocol::{Api, CircuitState, RuntimeId, RuntimeStatus, WorkerId};

use super::client::Desk;
use super::net::Open;
use super::plan::QUIET_AFTER;

/// How long it may take until all is in order.
const SOON: Duration = Duration::from_secs(60);

/// Waits for the others, and until each Backend knows what is true.
pub(crate) async fn audit(
    desk: Desk,
    others: usize,
    workers: Vec<(RuntimeId, WorkerId)>,
    machines: Vec<Open>,
) {
    while desk.ledger.count_done() < others || turmoil::elapsed() < QUIET_AFTER {
        sleep(Duration::from_millis(100)).await;
    }
    desk.trace("the others are done");
    for backend in 0..desk.backends {
        within(&desk, async || everything_is_up(&desk, backend).await).await;
    }
    for (runtime, worker) in &workers {
        for backend in 0..desk.backends {
            let workers = desk.client(backend).workers(Api::Backend(runtime.clone()));
            let found = workers.get(worker, &Call::default()).await.unwrap().value;
            desk.trace(format_args!(
                "{} {}",
                found.updated_at, found.transcript_length
            ));
            desk.ledger.found(found);
        }
    }
    within(&desk, async || nothing_is_left(&machines)).await;
    desk.trace("all is in order");
}

/// Whether a Backend knows that all its Runtimes are there, and would ask them.
async fn everything_is_up(desk: &Desk, backend: usize) -> Result<(), String> {
    let list = desk.client(backend).runtimes(&Call::default()).await;
    let list = list.map_err(|error| error.to_string())?.value;
    let is_up = list.runtimes.iter().all(|runtime| {
        let circuit = runtime.circuit.as_ref().map(|circuit| circuit.state);
        runtime.status == RuntimeStatus::Online && circuit == Some(CircuitState::Closed)
    });
    if is_up {
        Ok(())
    } else {
        Err(format!("{list:?}"))
    }
}

/// Whether no machine has a connection left, between two looks of the Backends.
fn nothing_is_left(machines: &[Open]) -> Result<(), String> {
    let open: Vec<usize> = machines
        .iter()
        .map(|open| open.load(Ordering::Relaxed))
        .collect();
    if open.iter().all(|open| *open == 0) {
        Ok(())
    } else {
        Err(format!("the machines have {open:?} connections"))
    }
}

async fn within(desk: &Desk, look: impl AsyncFn() -> Result<(), String>) {
    let mut last = String::new();
    let soon = async {
        while let Err(is_not) = look().await {
            last = is_not;
            sleep(Duration::from_millis(37)).await;
        }
    };
    let in_time = tokio::time::timeout(SOON, soon).await.is_ok();
    assert!(in_time, "{}: {last}", desk.name);
}
