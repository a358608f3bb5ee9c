use std::time::Duration;

use super::*;

fn bulkhead() -> Bulkhead {
    Bulkhead::new(BulkheadSettings {
        max_calls: 2,
        max_waiting: 1,
    })
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

#[tokio::test(start_paused = true)]
async fn so_many_are_under_way_and_so_many_wait() {
    let bulkhead = bulkhead();
    let first = bulkhead.enter(soon()).await.unwrap();
    let _second = bulkhead.enter(soon()).await.unwrap();
    let third = bulkhead.enter(soon());
    let fourth = async {
        tokio::task::yield_now().await;
        let began = Instant::now();
        assert_eq!(bulkhead.enter(soon()).await.unwrap_err(), NoPlace::Full);
        assert_eq!(began.elapsed(), Duration::ZERO, "at once");
        drop(first);
    };
    let (third, ()) = tokio::join!(third, fourth);
    drop(third.unwrap());
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_long_enough_makes_room_for_another() {
    let bulkhead = bulkhead();
    let _first = bulkhead.enter(soon()).await.unwrap();
    let second = bulkhead.enter(soon()).await.unwrap();
    let began = Instant::now();
    assert_eq!(bulkhead.enter(soon()).await.unwrap_err(), NoPlace::Late);
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    // Nor does one that was given up wait.
    let given_up = tokio::time::timeout(Duration::from_secs(1), bulkhead.enter(soon()));
    given_up.await.unwrap_err();
    let third = bulkhead.enter(soon());
    let (third, ()) = tokio::join!(third, async { drop(second) });
    drop(third.unwrap());
}
