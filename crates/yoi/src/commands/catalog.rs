//! `yoi runtimes`, `yoi workers`, `yoi create`.

use serde::Serialize;
use yoi_client::{Call, Client};
use yoi_protocol::{
    Api, CreateWorker, Incomplete, ListQuery, PageToken, RuntimeEntry, RuntimeId, Source,
    WorkerSummary, list,
};

use super::once::Once;
use super::{chosen_runtime, one_worker, worker_table};
use crate::args::CreateArgs;
use crate::error::CliError;
use crate::show::{Screen, or_dash, table};

/// Shows the Runtimes of the Backend.
pub(crate) async fn runtimes(client: &Client, screen: &mut Screen<'_>) -> Result<(), CliError> {
    let list = client.runtimes(&Call::default()).await?.value;
    screen.answer(&list, |list| {
        let head = [
            "RUNTIME",
            "NAME",
            "SOURCE",
            "STATUS",
            "CIRCUIT",
            "WORKERS",
            "LAST ERROR",
        ];
        table(head, list.runtimes.iter().map(row).collect())
    })?;
    Ok(())
}

fn row(entry: &RuntimeEntry) -> [String; 7] {
    [
        entry.runtime_id.to_string(),
        entry.display_name.clone(),
        match entry.source {
            Source::Embedded => "embedded",
            Source::Remote => "remote",
        }
        .to_owned(),
        entry.status.as_str().to_owned(),
        or_dash(entry.circuit.as_ref().map(|circuit| circuit.state.as_str())),
        or_dash(entry.workers.map(|workers| workers.total)),
        or_dash(entry.last_error.as_ref().map(|error| error.code)),
    ]
}

/// All pages of a list as one document, in the form of a single page.
#[derive(Serialize)]
struct AllWorkers {
    workers: Vec<WorkerSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<Vec<Incomplete>>,
}

/// Shows the Workers of all Runtimes, or of one: every page of them.
pub(crate) async fn workers(
    client: &Client,
    runtime: Option<&RuntimeId>,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let all = match runtime {
        Some(id) => AllWorkers {
            workers: of_one(client, id).await?,
            incomplete: None,
        },
        None => of_all(client).await?,
    };
    screen.answer(&all, |all| worker_table(all.workers.iter()))?;
    for missing in all.incomplete.iter().flatten() {
        screen.note(&format!(
            "workers of runtime {} may be missing: {}",
            missing.runtime_id, missing.code
        ))?;
    }
    Ok(())
}

fn page(page: Option<PageToken>) -> ListQuery {
    ListQuery {
        status: None,
        limit: Some(list::MAX_LIMIT),
        page,
    }
}

async fn of_one(client: &Client, runtime: &RuntimeId) -> Result<Vec<WorkerSummary>, CliError> {
    let workers = client.workers(Api::Backend(runtime.clone()));
    let mut all = Vec::new();
    let mut next = None;
    loop {
        let answer = workers.list(&page(next), &Call::default()).await?.value;
        all.extend(answer.workers);
        next = answer.next_page;
        if next.is_none() {
            return Ok(all);
        }
    }
}

async fn of_all(client: &Client) -> Result<AllWorkers, CliError> {
    let mut workers = Vec::new();
    let mut incomplete: Vec<Incomplete> = Vec::new();
    let mut next = None;
    loop {
        let answer = client
            .all_workers(&page(next), &Call::default())
            .await?
            .value;
        workers.extend(answer.workers);
        for missing in answer.incomplete {
            if !incomplete
                .iter()
                .any(|known| known.runtime_id == missing.runtime_id)
            {
                incomplete.push(missing);
            }
        }
        next = answer.next_page;
        if next.is_none() {
            return Ok(AllWorkers {
                workers,
                incomplete: Some(incomplete),
            });
        }
    }
}

/// Creates a Worker and shows it.
pub(crate) async fn create(
    client: &Client,
    args: CreateArgs,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let runtime = chosen_runtime(client, args.runtime).await?;
    let body = CreateWorker {
        worker_id: args.id,
        display_name: args.name,
        profile: args.profile,
        ..CreateWorker::default()
    };
    let workers = client.workers(Api::Backend(runtime));
    let worker = Once::new(args.key)
        .send(async |call| workers.create(&body, &call).await)
        .await?;
    screen.answer(&worker, one_worker)?;
    Ok(())
}
