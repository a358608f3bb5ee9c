//! What was said, page by page.

use yoi_protocol::{Code, Entry, Role, Transcript, TranscriptQuery, WorkerId};

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{Unmet, Verdict, at_field, broken, holds, refused, same, unexpected};

checks! { Bench, "transcript";
    has_no_holes: "sequences start at 1 and have no holes, up to transcript_length";
    begins_each_run_with_its_input: "entries stand in the order in which they were said, each with its run";
    pages_add_up: "pages of one entry lead through the same transcript as one page of all";
    is_empty_past_the_end: "after past the end gives an empty page without next_after";
    limit_is_bounded: "limit is from 1 to 1000";
    of_a_new_worker_is_empty: "a Worker to whom nothing was said has no entries, from sequence 1 on";
}

async fn read(bench: &Bench, id: &WorkerId, query: TranscriptQuery) -> Result<Transcript, Unmet> {
    let page = bench.subject().transcript(id, &query).await;
    page.map_err(|failure| unexpected("a transcript", &failure))
}

/// The whole transcript, in pages of `limit`.
async fn walk(bench: &Bench, id: &WorkerId, limit: u64) -> Result<Vec<Entry>, Unmet> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let query = TranscriptQuery {
            after,
            limit: Some(limit),
        };
        let page = read(bench, id, query).await?;
        let size = page.entries.len() as u64;
        holds(size <= limit, || {
            format!("a page of at most {limit} has {size} entries")
        })?;
        all.extend(page.entries);
        let Some(next) = page.next_after else {
            return Ok(all);
        };
        let last = all.last().map(|entry: &Entry| entry.sequence);
        same("next_after", Some(next), last)?;
        after = Some(next);
    }
}

async fn two_runs(bench: &Bench) -> Result<WorkerId, Unmet> {
    let worker_id = bench.idle().await?;
    bench.run(&worker_id).await?;
    bench.run(&worker_id).await?;
    Ok(worker_id)
}

async fn has_no_holes(bench: &Bench) -> Verdict {
    let worker_id = two_runs(bench).await?;
    let page = read(bench, &worker_id, TranscriptQuery::default()).await?;
    same("worker_id", &page.worker_id, &worker_id)?;
    same("runtime_id", &page.runtime_id, &bench.info().runtime_id)?;
    same("first_sequence", page.first_sequence, 1)?;
    same("next_after", page.next_after, None)?;
    let found: Vec<u64> = page.entries.iter().map(|entry| entry.sequence).collect();
    let length = bench.get(&worker_id).await?.transcript_length;
    same("the sequences", found, (1..=length).collect::<Vec<u64>>())
}

async fn begins_each_run_with_its_input(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let runs = [bench.run(&worker_id).await?, bench.run(&worker_id).await?];
    let entries = walk(bench, &worker_id, 1000).await?;
    for run in &runs {
        let of_run: Vec<&Entry> = entries
            .iter()
            .filter(|entry| entry.run_id == run.run_id)
            .collect();
        let Some(first) = of_run.first() else {
            return Err(broken(format!("nothing was said in {}", run.run_id)));
        };
        same("the first role of a run", first.role, Role::User)?;
        same("its sequence", first.sequence, run.sequence)?;
        let last = of_run.last().map_or(0, |entry| entry.sequence);
        let span = last + 1 - first.sequence;
        same(
            "the entries of a run, in one piece",
            of_run.len() as u64,
            span,
        )?;
    }
    let is_ordered = entries.windows(2).all(|pair| pair[0].at <= pair[1].at);
    holds(is_ordered, || {
        "a later entry has an earlier time".to_owned()
    })
}

async fn pages_add_up(bench: &Bench) -> Verdict {
    let worker_id = two_runs(bench).await?;
    let whole = walk(bench, &worker_id, 1000).await?;
    same(
        "the transcript in pages of one",
        walk(bench, &worker_id, 1).await?,
        whole,
    )
}

async fn is_empty_past_the_end(bench: &Bench) -> Verdict {
    let worker_id = two_runs(bench).await?;
    let length = bench.get(&worker_id).await?.transcript_length;
    for after in [length, length + 1000] {
        let query = TranscriptQuery {
            after: Some(after),
            limit: None,
        };
        let page = read(bench, &worker_id, query).await?;
        same("the entries past the end", page.entries.len(), 0)?;
        same("next_after", page.next_after, None)?;
    }
    Ok(())
}

async fn limit_is_bounded(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    for limit in [0, 1001] {
        let query = TranscriptQuery {
            after: None,
            limit: Some(limit),
        };
        let answer = bench.subject().transcript(&worker_id, &query).await;
        let failure = refused(format!("limit={limit}"), answer, Code::InvalidRequest)?;
        at_field(&failure, "/limit")?;
    }
    Ok(())
}

async fn of_a_new_worker_is_empty(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let page = read(bench, &worker_id, TranscriptQuery::default()).await?;
    same("first_sequence", page.first_sequence, 1)?;
    same("the entries", page.entries.len(), 0)
}
