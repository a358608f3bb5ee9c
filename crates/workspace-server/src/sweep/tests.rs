use std::collections::{BTreeMap, BTreeSet};

use yoi_protocol::{
    Code, Failure, ListQuery, PageToken, RuntimeId, Timestamp, WorkerId, WorkerPage, WorkerStatus,
    WorkerSummary, WorkerSweep,
};

use super::{Position, Rest, gather, page};
use crate::seal::KeyRing;

fn runtime(name: &str) -> RuntimeId {
    RuntimeId::parse(name).unwrap()
}

fn summary(runtime_id: &RuntimeId, worker: &str) -> WorkerSummary {
    WorkerSummary {
        runtime_id: runtime_id.clone(),
        worker_id: WorkerId::parse(worker).unwrap(),
        display_name: None,
        display_ref: format!("{worker}@{runtime_id}"),
        status: WorkerStatus::Idle,
        profile: "echo".into(),
        labels: BTreeMap::new(),
        created_at: Timestamp::from_unix_ms(0),
        updated_at: Timestamp::from_unix_ms(0),
    }
}

/// A Runtime whose pages hold at most `page_size` Workers, whatever is asked.
struct Fake {
    id: RuntimeId,
    workers: BTreeSet<String>,
    page_size: usize,
    token_padding: usize,
    down: bool,
}

impl Fake {
    fn new(name: &str, count: usize, page_size: usize) -> Self {
        Self {
            id: runtime(name),
            workers: (0..count).map(|n| format!("w{n:03}")).collect(),
            page_size,
            token_padding: 0,
            down: false,
        }
    }

    fn list(&self, query: &ListQuery) -> Result<WorkerPage, Failure> {
        if self.down {
            return Err(Failure::new(Code::RuntimeUnreachable));
        }
        let after = query
            .page
            .as_ref()
            .map(|page| page.as_str().trim_end_matches('~').to_owned());
        let limit = self.page_size.min(query.limit.unwrap() as usize);
        let mut rest = self
            .workers
            .iter()
            .filter(|worker| after.as_ref().is_none_or(|after| *worker > after));
        let workers: Vec<_> = rest
            .by_ref()
            .take(limit)
            .map(|worker| summary(&self.id, worker))
            .collect();
        let next_page = rest.next().and(workers.last()).map(|last| {
            let padding = "~".repeat(self.token_padding);
            PageToken::parse(&format!("{}{padding}", last.worker_id)).unwrap()
        });
        Ok(WorkerPage { workers, next_page })
    }
}

async fn sweep(
    keys: &KeyRing,
    fakes: &[Fake],
    limit: usize,
    token: Option<&PageToken>,
) -> WorkerSweep {
    let position = token.map(|token| Position::open(keys, token).unwrap());
    let mut parts = Vec::new();
    for fake in fakes {
        if position
            .as_ref()
            .is_some_and(|position| fake.id < position.runtime_id)
        {
            continue;
        }
        let gathered = gather(
            &fake.id,
            position.as_ref(),
            (None, limit),
            std::future::pending(),
            |query| std::future::ready(fake.list(&query)),
        )
        .await;
        parts.push((fake.id.clone(), gathered));
    }
    page(keys, limit, parts)
}

async fn walk(fakes: &[Fake], limit: usize) -> Vec<String> {
    let keys = KeyRing::random();
    let mut seen = Vec::new();
    let mut token = None;
    for _ in 0..1000 {
        let answer = sweep(&keys, fakes, limit, token.as_ref()).await;
        assert!(answer.workers.len() <= limit);
        seen.extend(answer.workers.into_iter().map(|worker| worker.display_ref));
        match answer.next_page {
            Some(next) => token = Some(next),
            None => return seen,
        }
    }
    panic!("the list does not end");
}

fn all(fakes: &[Fake]) -> Vec<String> {
    fakes
        .iter()
        .filter(|fake| !fake.down)
        .flat_map(|fake| fake.workers.iter().map(|w| format!("{w}@{}", fake.id)))
        .collect()
}

#[tokio::test]
async fn every_size_of_page_at_either_end_neither_skips_nor_repeats() {
    for page_size in [1, 2, 3, 7, 100] {
        for limit in 1..9 {
            let fakes = [
                Fake::new("a", 5, page_size),
                Fake::new("b", 0, page_size),
                Fake::new("c", 7, page_size),
                Fake::new("d", 1, page_size),
            ];
            assert_eq!(
                walk(&fakes, limit).await,
                all(&fakes),
                "runtime pages of {page_size}, ours of {limit}"
            );
        }
    }
}

#[tokio::test]
async fn a_runtime_that_fails_is_named_once_and_paging_goes_past_it() {
    let mut fakes = [
        Fake::new("a", 3, 2),
        Fake::new("b", 3, 2),
        Fake::new("c", 3, 2),
    ];
    fakes[1].down = true;
    let keys = KeyRing::random();
    let first = sweep(&keys, &fakes, 3, None).await;
    assert_eq!(first.workers.len(), 3);
    assert!(first.incomplete.is_empty(), "b is not due on this page");
    let second = sweep(&keys, &fakes, 3, first.next_page.as_ref()).await;
    assert_eq!(second.incomplete.len(), 1);
    assert_eq!(second.incomplete[0].runtime_id, runtime("b"));
    assert_eq!(second.incomplete[0].code, Code::RuntimeUnreachable);
    assert!(second.workers.iter().all(|w| w.runtime_id == runtime("c")));
    assert_eq!(walk(&fakes, 2).await, all(&fakes));
}

#[tokio::test]
async fn a_token_too_long_to_carry_costs_time_but_nothing_else() {
    let mut fakes = [Fake::new("a", 9, 2), Fake::new("b", 3, 2)];
    fakes[0].token_padding = 500;
    assert_eq!(walk(&fakes, 3).await, all(&fakes));
}

#[tokio::test]
async fn a_worker_that_appears_or_goes_moves_no_other() {
    let keys = KeyRing::random();
    let mut fakes = [Fake::new("a", 6, 4)];
    let first = sweep(&keys, &fakes, 3, None).await;
    fakes[0].workers.remove("w002");
    fakes[0].workers.insert("w0000".into());
    let second = sweep(&keys, &fakes, 3, first.next_page.as_ref()).await;
    let ids: Vec<_> = second
        .workers
        .iter()
        .map(|w| w.worker_id.as_str())
        .collect();
    assert_eq!(ids, ["w003", "w004", "w005"]);
}

#[tokio::test]
async fn a_runtime_that_forgot_its_token_is_asked_anew_without_repeats() {
    let a = runtime("a");
    let fake = Fake::new("a", 4, 100);
    let position = Position::after(
        a.clone(),
        Some(PageToken::parse("gone").unwrap()),
        Some(WorkerId::parse("w001").unwrap()),
    );
    let gathered = gather(
        &a,
        Some(&position),
        (None, 10),
        std::future::pending(),
        |query| {
            std::future::ready(match query.page {
                Some(_) => Err(Failure::invalid("/page", "no")),
                None => fake.list(&query),
            })
        },
    )
    .await;
    assert_eq!(gathered.rest, Rest::Nothing);
    assert_eq!(gathered.pages[0].1.len(), 2);
}

#[tokio::test]
async fn a_list_that_is_none_is_a_protocol_error() {
    let a = runtime("a");
    for workers in [
        vec![summary(&a, "w2"), summary(&a, "w1")],
        vec![summary(&runtime("b"), "w1")],
    ] {
        let gathered = gather(&a, None, (None, 10), std::future::pending(), |_| {
            std::future::ready(Ok(WorkerPage {
                workers: workers.clone(),
                next_page: None,
            }))
        })
        .await;
        assert_eq!(gathered.rest, Rest::Failed(Code::RuntimeProtocolError));
    }
}

#[tokio::test(start_paused = true)]
async fn a_runtime_over_its_deadline_keeps_what_it_told_and_is_named() {
    let a = runtime("a");
    let fake = Fake::new("a", 4, 2);
    let mut asked = 0;
    let deadline = async {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        Code::RuntimeTimedOut
    };
    let gathered = gather(&a, None, (None, 10), deadline, |query| {
        asked += 1;
        let answer = fake.list(&query);
        let stalls = asked > 1;
        async move {
            if stalls {
                std::future::pending::<()>().await;
            }
            answer
        }
    })
    .await;
    assert_eq!(gathered.rest, Rest::Failed(Code::RuntimeTimedOut));
    assert_eq!(gathered.pages[0].1.len(), 2);
}

#[test]
fn a_forged_page_is_invalid_at_page() {
    let keys = KeyRing::random();
    let token = Position::start_of(runtime("a")).seal(&keys);
    assert!(Position::open(&keys, &token).is_ok());
    let cut = PageToken::parse(&token.as_str()[1..]).unwrap();
    for (keys, token) in [(keys, cut), (KeyRing::random(), token)] {
        let failure = Position::open(&keys, &token).unwrap_err();
        assert_eq!(failure.code, Code::InvalidRequest);
        assert_eq!(failure.details.errors[0].pointer, "/page");
    }
}
