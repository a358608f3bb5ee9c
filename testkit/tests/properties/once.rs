//! A key names one intended command: however often it is sent, side by side or after a restart, by
//! callers who wait or hang up, to a store that fails or takes its time, it is done once.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::task::{JoinSet, yield_now};
use worker_runtime::{CommandContext, Runtime, RuntimeError, StoreError};
use yoi_protocol::{CreateWorker, IdempotencyKey, ListQuery, RuntimeId, Worker};
use yoi_testkit::TestStore;

use crate::cases;

/// One time that a command is sent.
#[derive(Debug, Clone)]
struct Attempt {
    key: u8,
    body: u8,
    /// How many others go first.
    waits: usize,
    /// After how many turns the caller hangs up.
    patience: Option<usize>,
}

/// What the store does meanwhile.
#[derive(Debug, Clone)]
struct Weather {
    refuses_first: bool,
    /// How many turns the first record waits.
    held: usize,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let body = prop_oneof![5 => Just(0_u8), 1 => Just(1)];
    (
        0..2_u8,
        body,
        0..6_usize,
        prop::option::weighted(0.3, 0..8_usize),
    )
        .prop_map(|(key, body, waits, patience)| Attempt {
            key,
            body,
            waits,
            patience,
        })
}

fn weather() -> impl Strategy<Value = Weather> {
    (any::<bool>(), 0..12_usize).prop_map(|(refuses_first, held)| Weather {
        refuses_first,
        held,
    })
}

/// Without an id, so that nothing but the key keeps it from being done twice.
async fn send(runtime: &Runtime, key: u8, body: u8) -> Result<(Worker, bool), RuntimeError> {
    let request = CreateWorker {
        display_name: Some(format!("{key} {body}")),
        ..CreateWorker::default()
    };
    let key = Some(IdempotencyKey::parse(&format!("key-{key}")).unwrap());
    let context = CommandContext {
        key,
        deadline: None,
    };
    let applied = runtime.create_worker(request, context).await?;
    Ok((applied.value, applied.replayed))
}

async fn turns(count: usize) {
    for _ in 0..count {
        yield_now().await;
    }
}

async fn start(store: &Arc<TestStore>) -> Runtime {
    let builder = Runtime::builder(RuntimeId::parse("local").unwrap());
    builder.store(store.clone()).start().await.unwrap()
}

/// What came of each attempt, `None` for those whose caller hung up.
type Outcomes = Vec<(Attempt, Option<Result<(Worker, bool), RuntimeError>>)>;

async fn all_at_once(
    runtime: &Runtime,
    store: &TestStore,
    attempts: Vec<Attempt>,
    weather: &Weather,
) -> Outcomes {
    if weather.refuses_first {
        store.fail_once(StoreError::Refused("no"));
    }
    if weather.held > 0 {
        store.hold();
    }
    let mut sent = JoinSet::new();
    for attempt in attempts {
        let runtime = runtime.clone();
        sent.spawn(async move {
            turns(attempt.waits).await;
            let answer = send(&runtime, attempt.key, attempt.body);
            let outcome = match attempt.patience {
                None => Some(answer.await),
                Some(patience) => tokio::select! {
                    biased;
                    answer = answer => Some(answer),
                    () = turns(patience) => None,
                },
            };
            (attempt, outcome)
        });
    }
    turns(weather.held).await;
    store.release();
    sent.join_all().await
}

/// The Workers that there are, by the key and the body that made them.
async fn made(runtime: &Runtime) -> BTreeMap<u8, Vec<(u8, Worker)>> {
    let mut made: BTreeMap<u8, Vec<(u8, Worker)>> = BTreeMap::new();
    for summary in runtime
        .list_workers(&ListQuery::default())
        .await
        .unwrap()
        .workers
    {
        let worker = runtime.get_worker(&summary.worker_id).await.unwrap();
        let name = worker.display_name.clone().unwrap();
        let (key, body) = name.split_once(' ').unwrap();
        made.entry(key.parse().unwrap())
            .or_default()
            .push((body.parse().unwrap(), worker));
    }
    made
}

async fn check(attempts: Vec<Attempt>, weather: Weather) -> Result<(), TestCaseError> {
    let store = TestStore::new();
    let runtime = start(&store).await;
    let outcomes = all_at_once(&runtime, &store, attempts, &weather).await;
    // Those that nobody waits for are carried to their end.
    runtime.drain(std::time::Duration::from_secs(10)).await;
    let done = made(&runtime).await;
    for (key, done) in &done {
        prop_assert_eq!(
            done.len(),
            1,
            "key {} was done more than once: {:?}",
            key,
            done
        );
    }
    let mut new = BTreeMap::new();
    for (attempt, outcome) in &outcomes {
        let done = done.get(&attempt.key).and_then(|done| done.first());
        match outcome {
            None => {}
            Some(Ok((worker, replayed))) => {
                prop_assert_eq!(done, Some(&(attempt.body, worker.clone())));
                *new.entry(attempt.key).or_insert(0) += usize::from(!replayed);
            }
            Some(Err(RuntimeError::IdempotencyConflict)) => {
                prop_assert!(done.is_some_and(|(body, _)| *body != attempt.body));
            }
            Some(Err(error)) => {
                prop_assert!(weather.refuses_first, "{:?}", error);
                prop_assert!(
                    matches!(error, RuntimeError::StoreFailed { .. }),
                    "{:?}",
                    error
                );
            }
        }
    }
    prop_assert!(
        new.values().all(|count| *count <= 1),
        "told as new twice: {:?}",
        new
    );

    // The next Runtime knows what was done, and does what was not.
    let next = start(&store.reopened()).await;
    for key in outcomes.iter().map(|(attempt, _)| attempt.key) {
        let first = done.get(&key).and_then(|done| done.first());
        let body = first.map_or(0, |(body, _)| *body);
        let (worker, replayed) = send(&next, key, body).await.unwrap();
        if let Some((_, first)) = first {
            prop_assert!(
                replayed && worker == *first,
                "{:?} is not {:?}",
                worker,
                first
            );
        }
    }
    prop_assert!(made(&next).await.values().all(|done| done.len() == 1));
    Ok(())
}

proptest! {
    #![proptest_config(cases(192))]

    #[test]
    fn what_is_sent_often_is_done_once(attempts in vec(attempt(), 1..10), weather in weather()) {
        let threads = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        threads.block_on(check(attempts, weather))?;
    }
}
