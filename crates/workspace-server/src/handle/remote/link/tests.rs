use std::future::pending;

use yoi_protocol::Code;

use super::*;

fn link() -> Link {
    let bulkhead = BulkheadSettings {
        max_calls: 1,
        max_waiting: 1,
    };
    let runtime_id = RuntimeId::parse("gpu-1").unwrap();
    Link::new(
        runtime_id,
        CircuitSettings::default(),
        bulkhead,
        Timeouts::default(),
    )
}

async fn asked(link: &Link, within: Duration) -> Result<(), Failure> {
    let deadline = Some(Instant::now() + within);
    link.call(deadline, async { Ok(()) }).await
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_place_in_time_is_told_that_and_who_may_not_wait_that_it_is_full() {
    let link = link();
    let hanging = link.call::<()>(None, pending());
    let both = async {
        tokio::task::yield_now().await;
        tokio::join!(
            asked(&link, Duration::from_secs(1)),
            asked(&link, Duration::from_secs(1)),
        )
    };
    let (late, full) = tokio::select! {
        both = both => both,
        _ = hanging => unreachable!("it hangs"),
    };
    let (late, full) = (late.unwrap_err(), full.unwrap_err());
    assert_eq!(late.code, Code::TimedOut);
    assert_eq!(full.code, Code::RuntimeUnavailable);
    assert_eq!(full.details.reason, Some(Reason::Overloaded));
    for failure in [late, full] {
        assert_eq!(failure.origin, Some(Origin::Backend));
        assert_eq!(failure.effect, Effect::None);
    }
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_opened_take_no_place_of_a_call() {
    let link = link();
    let opening = link.open::<()>(None, pending());
    let call = async {
        tokio::task::yield_now().await;
        asked(&link, Duration::from_secs(1)).await
    };
    tokio::select! {
        call = call => call.unwrap(),
        _ = opening => unreachable!("it hangs"),
    }
}
