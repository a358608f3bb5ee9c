//! The end of the server, as all who observe it see it.

use crate::client::Observer;
use crate::support::Served;

const WORKERS: usize = 5;
const OBSERVERS_EACH: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_observer_sees_how_its_run_ended_before_the_server_ends() {
    let served = Served::start().await;
    let mut sockets = Vec::new();
    let mut streams = Vec::new();
    for n in 0..WORKERS {
        let id = format!("w-{n}");
        served.worker(&id, "held").await;
        served.input(&id).await;
        let path = format!("/v1/workers/{id}/events");
        for _ in 0..OBSERVERS_EACH {
            let mut observer = Observer::connect(&served, &format!("{path}/ws"), &[])
                .await
                .ok()
                .unwrap();
            observer.until("caught_up").await;
            sockets.push(observer);
            // Its head comes with its first frames, so it observes from here on.
            streams.push(served.send("GET", &path, &[], None).await);
        }
    }
    served.shut_down();
    served.hold.told().await;
    for _ in 0..WORKERS {
        served.hold.release();
    }

    for mut observer in sockets {
        let (told, code) = observer.rest().await;
        assert_eq!(
            told,
            [
                "entry_appended",
                "run_finished",
                "status_changed",
                "draining"
            ]
        );
        assert_eq!(code, Some(1012));
    }
    for stream in streams {
        let told = stream.text().await.unwrap();
        let at = |what: &str| {
            let named = format!("\"{what}\"");
            told.find(&named)
                .unwrap_or_else(|| panic!("no {what} in {told}"))
        };
        let order = ["caught_up", "run_finished", "status_changed", "draining"].map(at);
        assert!(order.is_sorted(), "{told}");
    }
    served.ended().await;
}
