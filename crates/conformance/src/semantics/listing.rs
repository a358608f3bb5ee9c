//! Lists of Workers, and their pages.

use std::collections::BTreeSet;

use yoi_protocol::{Code, ListQuery, PageToken, WorkerId, WorkerPage, WorkerStatus, WorkerSummary};

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{Unmet, Verdict, at_field, broken, holds, refused, same, unexpected};

checks! { Bench, "list";
    pages_in_order: "pages lead through all Workers by rising id, and neither skip nor repeat one";
    skips_none_while_others_come: "a Worker that exists throughout is on exactly one page, whatever is created meanwhile";
    limit_is_bounded: "limit is from 1 to 1000, and a page has no more";
    page_is_not_forged: "a page that the Runtime could not have made is invalid_request";
    filters_by_status: "status shows the Workers of that status, and no others";
    shows_the_short_form: "a list shows of a Worker what reading it shows";
}

/// The most pages that a walk makes of a list.
const PAGES: u64 = 40;

fn by(limit: u64, page: Option<PageToken>) -> ListQuery {
    ListQuery {
        status: None,
        limit: Some(limit),
        page,
    }
}

async fn list(bench: &Bench, query: &ListQuery) -> Result<WorkerPage, Unmet> {
    let page = bench.subject().list(query).await;
    page.map_err(|failure| unexpected("a list", &failure))
}

/// A limit at which the whole list is several pages, but not too many.
async fn some_limit(bench: &Bench) -> Result<u64, Unmet> {
    let info = bench.subject().runtime().await;
    let info = info.map_err(|failure| unexpected("reading the runtime", &failure))?;
    Ok((info.workers.total / PAGES).clamp(2, 1000))
}

/// Every page after the other; before each of the first `newcomers` that follow, another Worker is
/// created.
async fn walk(
    bench: &Bench,
    limit: u64,
    status: Option<WorkerStatus>,
    newcomers: usize,
) -> Result<Vec<WorkerSummary>, Unmet> {
    let mut left = newcomers;
    let mut all: Vec<WorkerSummary> = Vec::new();
    let mut query = ListQuery {
        status,
        ..by(limit, None)
    };
    loop {
        let page = list(bench, &query).await?;
        let size = page.workers.len() as u64;
        holds(size <= limit, || {
            format!("a page of at most {limit} has {size} workers")
        })?;
        for summary in page.workers {
            if let Some(last) = all.last() {
                holds(last.worker_id < summary.worker_id, || {
                    format!("{} follows {}", summary.worker_id, last.worker_id)
                })?;
            }
            all.push(summary);
        }
        let Some(next) = page.next_page else {
            return Ok(all);
        };
        if query.page.as_ref() == Some(&next) {
            return Err(broken("next_page leads to the page that it is on"));
        }
        query.page = Some(next);
        if left > 0 {
            left -= 1;
            bench.idle().await?;
        }
    }
}

fn ids(list: &[WorkerSummary]) -> BTreeSet<&WorkerId> {
    list.iter().map(|summary| &summary.worker_id).collect()
}

fn are_listed(all: &[WorkerSummary], made: &[WorkerId]) -> Verdict {
    let listed = ids(all);
    for id in made {
        holds(listed.contains(id), || format!("no page shows {id}"))?;
    }
    Ok(())
}

async fn several(bench: &Bench) -> Result<Vec<WorkerId>, Unmet> {
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(bench.idle().await?);
    }
    Ok(made)
}

async fn pages_in_order(bench: &Bench) -> Verdict {
    let made = several(bench).await?;
    let limit = some_limit(bench).await?;
    let all = walk(bench, limit, None, 0).await?;
    are_listed(&all, &made)
}

async fn skips_none_while_others_come(bench: &Bench) -> Verdict {
    let made = several(bench).await?;
    let limit = some_limit(bench).await?;
    let all = walk(bench, limit, None, 8).await?;
    are_listed(&all, &made)
}

async fn limit_is_bounded(bench: &Bench) -> Verdict {
    several(bench).await?;
    for limit in [0, 1001] {
        let answer = bench.subject().list(&by(limit, None)).await;
        let failure = refused(format!("limit={limit}"), answer, Code::InvalidRequest)?;
        at_field(&failure, "/limit")?;
    }
    let one = list(bench, &by(1, None)).await?;
    same("the workers on a page of one", one.workers.len(), 1)?;
    holds(one.next_page.is_some(), || {
        "there are more workers, and no next_page".to_owned()
    })?;
    let most = list(bench, &by(1000, None)).await?;
    holds(most.workers.len() >= 5, || {
        format!("a page of 1000 has {} workers of more", most.workers.len())
    })
}

async fn page_is_not_forged(bench: &Bench) -> Verdict {
    for forged in ["~", "~not.a.page~", &"A".repeat(512)] {
        let page = PageToken::parse(forged).ok();
        let answer = bench.subject().list(&by(10, page)).await;
        let failure = refused("a forged page", answer, Code::InvalidRequest)?;
        at_field(&failure, "/page")?;
    }
    Ok(())
}

async fn filters_by_status(bench: &Bench) -> Verdict {
    let idle = bench.idle().await?;
    let stopped = bench.idle().await?;
    bench.stop(&stopped).await?;
    for (status, shown, hidden) in [
        (WorkerStatus::Idle, &idle, &stopped),
        (WorkerStatus::Stopped, &stopped, &idle),
    ] {
        let all = walk(bench, 1000, Some(status), 0).await?;
        if let Some(other) = all.iter().find(|summary| summary.status != status) {
            return Err(broken(format!(
                "status={} shows {}, which is {}",
                status.as_str(),
                other.worker_id,
                other.status.as_str()
            )));
        }
        let listed = ids(&all);
        let right = listed.contains(shown) && !listed.contains(hidden);
        holds(right, || {
            format!("status={} is not kept to", status.as_str())
        })?;
    }
    Ok(())
}

async fn shows_the_short_form(bench: &Bench) -> Verdict {
    let body = yoi_protocol::CreateWorker {
        display_name: Some("Listed".to_owned()),
        labels: [("team".to_owned(), "blue".to_owned())].into(),
        ..bench.body()
    };
    let worker = bench.create(&body).await?;
    let all = walk(bench, 1000, Some(WorkerStatus::Idle), 0).await?;
    let listed = all
        .into_iter()
        .find(|summary| summary.worker_id == worker.worker_id);
    same("the worker in the list", listed, Some(worker.summary()))
}
