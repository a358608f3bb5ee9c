//! Paging: a Worker that exists throughout is neither skipped nor repeated, whatever comes and goes
//! between two pages and while one is read.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use worker_runtime::{CommandContext, Runtime};
use yoi_client::Call;
use yoi_protocol::{CreateWorker, ListQuery, RuntimeId, StopRequest, WorkerId};
use yoi_testkit::{TestBackend, TestRuntime, strategies};

use crate::{cases, threads};

/// Short, so that new ones come between old ones.
fn ids(count: std::ops::Range<usize>) -> impl Strategy<Value = BTreeSet<WorkerId>> {
    let id = prop_oneof![
        3 => "[a-c0-1][a-c0-1._-]{0,3}".prop_map(|text| WorkerId::parse(&text).unwrap()),
        1 => strategies::worker_id(),
    ];
    btree_set(id, count)
}

fn named(id: &WorkerId) -> CreateWorker {
    CreateWorker {
        worker_id: Some(id.clone()),
        ..CreateWorker::default()
    }
}

/// Each of `there` once, in order, and nothing that was never made.
fn is_complete<Id: Ord + Clone + std::fmt::Debug>(
    read: &[Id],
    there: &BTreeSet<Id>,
    others: &BTreeSet<Id>,
) -> Result<(), TestCaseError> {
    prop_assert!(
        read.is_sorted_by(|one, next| one < next),
        "rising, each once: {:?}",
        read
    );
    let seen: BTreeSet<Id> = read.iter().cloned().collect();
    let missing: Vec<_> = there.difference(&seen).collect();
    prop_assert!(missing.is_empty(), "{:?} were skipped: {:?}", missing, read);
    let odd: Vec<_> = seen
        .difference(&there.union(others).cloned().collect())
        .cloned()
        .collect();
    prop_assert!(odd.is_empty(), "nobody made {:?}", odd);
    Ok(())
}

proptest! {
    #![proptest_config(cases(96))]

    /// What comes and goes between two pages.
    #[test]
    fn a_list_is_complete_while_workers_come_and_stop(
        there in ids(1..30),
        later in vec((ids(0..4), any::<prop::sample::Index>()), 1..12),
        limits in vec(1..6_u64, 1..8),
    ) {
        threads().block_on(async {
            let runtime = Runtime::builder(RuntimeId::parse("local").unwrap()).start().await.unwrap();
            let plain = CommandContext::default;
            for id in &there {
                runtime.create_worker(named(id), plain()).await.unwrap();
            }
            let order: Vec<_> = there.iter().cloned().collect();
            let (mut read, mut page) = (Vec::new(), None);
            let mut changes = later.iter();
            for limit in limits.iter().cycle() {
                let query = ListQuery { page, limit: Some(*limit), status: None };
                let answer = runtime.list_workers(&query).await.unwrap();
                prop_assert!(answer.workers.len() as u64 <= *limit);
                read.extend(answer.workers.into_iter().map(|worker| worker.worker_id));
                page = answer.next_page;
                if page.is_none() {
                    break;
                }
                if let Some((new, stopped)) = changes.next() {
                    for id in new {
                        // It may be there already.
                        let _ = runtime.create_worker(named(id), plain()).await;
                    }
                    let id = &order[stopped.index(order.len())];
                    runtime.stop_worker(id, StopRequest::default(), plain()).await.unwrap();
                }
            }
            let others = later.iter().flat_map(|(new, _)| new).cloned().collect();
            is_complete(&read, &there, &others)
        })?;
    }
}

proptest! {
    #![proptest_config(cases(8))]

    /// The same over all Runtimes of a Backend, while others create as fast as they can.
    #[test]
    fn a_sweep_is_complete_while_workers_are_created(
        there in vec(ids(0..8), 3),
        later in vec(ids(1..12), 3),
        limits in vec(1..7_u64, 1..4),
    ) {
        threads().block_on(async {
            let names = ["a", "b", "c"];
            let remote = TestRuntime::builder(names[1]).start().await;
            let backend = TestBackend::builder()
                .embedded(names[0])
                .remote(&remote)
                .embedded(names[2])
                .start()
                .await;
            let placed = |ids: &[BTreeSet<WorkerId>]| -> BTreeSet<(RuntimeId, WorkerId)> {
                let of = |(name, ids): (&&str, &BTreeSet<WorkerId>)| {
                    let name = RuntimeId::parse(name).unwrap();
                    ids.iter().map(move |id| (name.clone(), id.clone())).collect::<Vec<_>>()
                };
                names.iter().zip(ids).flat_map(of).collect()
            };
            let (there, later) = (placed(&there), placed(&later));
            let client = backend.client();
            let create = async |(name, id): &(RuntimeId, WorkerId)| {
                let workers = backend.workers(name.as_str());
                workers.create(&named(id), &Call::default()).await
            };
            for place in &there {
                create(place).await.unwrap();
            }
            let creating = async {
                for place in later.difference(&there) {
                    create(place).await.unwrap();
                }
            };
            let reading = async {
                let (mut read, mut page) = (Vec::new(), None);
                for limit in limits.iter().cycle() {
                    let query = ListQuery { page, limit: Some(*limit), status: None };
                    let answer = client.all_workers(&query, &Call::default()).await.unwrap().value;
                    assert_eq!(answer.incomplete, []);
                    let places = answer.workers.into_iter();
                    read.extend(places.map(|worker| (worker.runtime_id, worker.worker_id)));
                    page = answer.next_page;
                    if page.is_none() {
                        break;
                    }
                }
                read
            };
            let ((), read) = tokio::join!(creating, reading);
            is_complete(&read, &there, &later)
        })?;
    }
}
