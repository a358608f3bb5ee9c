//! The commands that talk to a Backend, each of which asks the client and shows what it says, and
//! those that look at something else: a running Runtime, the files of a store.

mod catalog;
mod check_runtime;
mod control;
mod once;
mod send;
mod store;
mod transcript;
mod watch;

use yoi_client::{Call, Client};
use yoi_protocol::{RuntimeId, Worker, WorkerSummary};

pub(crate) use catalog::{create, runtimes, workers};
pub(crate) use check_runtime::{check_runtime, target};
pub(crate) use control::{cancel, stop};
pub(crate) use send::{content, send};
pub(crate) use store::{export, repair};
pub(crate) use transcript::transcript;
pub(crate) use watch::watch;

use crate::error::CliError;
use crate::show::{or_dash, table};
use crate::target::Target;

/// The Workers of the Runtime of `target`.
fn workers_of(client: &Client, target: &Target) -> yoi_client::Workers {
    client.workers(yoi_protocol::Api::Backend(target.runtime_id.clone()))
}

/// The Runtime that was named, or the only one that the Backend has.
async fn chosen_runtime(client: &Client, named: Option<RuntimeId>) -> Result<RuntimeId, CliError> {
    if let Some(id) = named {
        return Ok(id);
    }
    let mut runtimes = client.runtimes(&Call::default()).await?.value.runtimes;
    match (runtimes.pop(), runtimes.is_empty()) {
        (Some(only), true) => Ok(only.runtime_id),
        (Some(last), false) => {
            let ids = runtimes.iter().chain([&last]);
            let ids: Vec<&str> = ids.map(|entry| entry.runtime_id.as_str()).collect();
            Err(CliError::Usage(format!(
                "the Backend has more than one runtime; choose with --runtime: {}",
                ids.join(", ")
            )))
        }
        (None, _) => Err(CliError::Usage(
            "the Backend has no runtime that you can see".to_owned(),
        )),
    }
}

/// A table of Workers, by the address that other commands take.
fn worker_table<'a>(workers: impl Iterator<Item = &'a WorkerSummary>) -> String {
    table(
        ["TARGET", "NAME", "STATUS", "PROFILE", "UPDATED"],
        workers
            .map(|worker| {
                [
                    format!("{}/{}", worker.runtime_id, worker.worker_id),
                    or_dash(worker.display_name.as_ref()),
                    worker.status.as_str().to_owned(),
                    worker.profile.clone(),
                    worker.updated_at.to_string(),
                ]
            })
            .collect(),
    )
}

fn one_worker(worker: &Worker) -> String {
    worker_table([&worker.summary()].into_iter())
}
