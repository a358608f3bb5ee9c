//! How long a start takes on a long past.

use std::time::Instant;

use worker_runtime::Runtime;
use yoi_protocol::RuntimeId;

use crate::Place;
use crate::sample::{Writer, open};

const EVENTS: usize = 1_000_000;

pub(crate) async fn start(place: &Place) {
    println!("\na start with {EVENTS} stored events");
    for count in [1usize, 1_000] {
        let folder = place.folder();
        let store = open(folder.path());
        let mut writers = Vec::new();
        for number in 0..count {
            writers.push(Writer::create(&store, number).await);
        }
        // A run is six events. One Worker alone writes fewer, so that its limit keeps them all.
        let runs = if count == 1 { EVENTS / 60 } else { EVENTS / 6 };
        for _ in 0..runs / count {
            let turns = writers.iter_mut().map(|writer| async {
                let run_id = writer.input(&store).await;
                writer.finish(&store, run_id).await;
            });
            futures_util::future::join_all(turns).await;
        }
        drop(store);
        let began = Instant::now();
        let store = open(folder.path());
        let opened = began.elapsed();
        let runtime = Runtime::builder(RuntimeId::parse("bench").unwrap())
            .store(store)
            .start()
            .await
            .unwrap();
        let took = began.elapsed();
        assert_eq!(runtime.info().workers.total, count as u64);
        println!(
            "{count:6} workers {:8} events: the store {opened:.0?}, the Runtime {took:.0?}",
            6 * (runs / count) * count
        );
    }
}
