//! The end of the server, in order.

use std::time::Duration;

use yoi_protocol::{Code, Effect};

use crate::sse::Reading;
use crate::support::{Served, WAIT};

#[tokio::test]
async fn it_ends_in_order() {
    let served = Served::start().await;
    served.worker("w-1", "held").await;
    let mut reading = Reading::open(&served, "/v1/workers/w-1/events", &[]).await;
    let run = served.input("w-1").await;
    reading.until("text").await;

    served.shut_down();
    served.hold.told().await;
    // The run holds the end up, so this is what it looks like from outside meanwhile.
    served.get("/readyz").await.problem(Code::Unavailable);
    assert_eq!(served.get("/healthz").await.status.as_u16(), 200);
    let info = served.get("/v1/runtime").await.value(200);
    assert_eq!(info["status"], "draining");
    let worker = served.get("/v1/workers/w-1").await.value(200);
    assert_eq!(worker["active_run"]["run_id"], run);
    for (path, body) in [
        ("/v1/workers", "{}"),
        ("/v1/workers/w-1/input", r#"{"content":"x"}"#),
        ("/v1/workers/w-1/cancel", "{}"),
        ("/v1/workers/w-1/stop", "{}"),
    ] {
        let problem = served.post(path, body).await.problem(Code::Unavailable);
        assert_eq!(problem.effect, Some(Effect::None), "{path}");
    }

    served.hold.release();
    let end = reading.until("draining").await;
    let finished = end
        .iter()
        .find(|seen| seen.what() == "run_finished")
        .unwrap();
    assert_eq!(finished.frame["event"]["outcome"], "failed");
    assert_eq!(finished.frame["event"]["error"]["code"], "interrupted");
    assert_eq!(end.last().unwrap().frame["kind"], "diagnostic");
    assert!(reading.next().await.is_none());
    drop(reading);

    let address = served.address;
    served.ended().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_command_in_flight_is_answered() {
    let served = Served::start().await;
    served.worker("w-1", "held").await;
    served.input("w-1").await;
    let cancelling = served.post("/v1/workers/w-1/cancel", "{}");
    let ending = async {
        served.hold.told().await;
        served.shut_down();
        // Readiness turns when the end has begun.
        let deadline = tokio::time::Instant::now() + WAIT;
        while served.get("/readyz").await.status.as_u16() == 200 {
            assert!(tokio::time::Instant::now() < deadline, "still ready");
        }
        served.hold.release();
    };
    let (cancelled, ()) = tokio::join!(cancelling, ending);
    let worker = &cancelled.value(200)["worker"];
    assert_eq!(
        worker["last_run"]["outcome"], "cancelled",
        "the first outcome holds"
    );
    served.ended().await;
}

#[tokio::test]
async fn a_reader_that_does_not_go_is_cut_at_the_end_of_the_time() {
    let served = Served::with(|setup| {
        setup.settings.drain_timeout = Duration::from_millis(800);
    })
    .await;
    // Never reads, never closes, in the middle of a request.
    let mut stuck = tokio::net::TcpStream::connect(served.address)
        .await
        .unwrap();
    let head = "POST /v1/workers HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        content-length: 100\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut stuck, head.as_bytes())
        .await
        .unwrap();
    // Its request has arrived once another one on a later connection is answered.
    served.get("/healthz").await;
    let began = tokio::time::Instant::now();
    served.shut_down();
    served.ended().await;
    let took = began.elapsed();
    // By default it would have had 10 s.
    assert!(took < Duration::from_secs(8), "took {took:?}");
    drop(stuck);
}
