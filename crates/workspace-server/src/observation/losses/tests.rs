use std::time::Duration;

use yoi_protocol::{Code, Failure, StreamEnd};

use super::{Losses, Next};
use crate::backoff::Backoff;

const BACKOFF: Backoff = Backoff {
    base: Duration::from_millis(100),
    max: Duration::from_secs(2),
};

fn failed(code: Code) -> StreamEnd {
    StreamEnd::Failed(Failure::new(code))
}

fn lost(losses: &mut Losses, end: StreamEnd) -> Next {
    lost_after(losses, Duration::ZERO, end)
}

/// What becomes of an upstream after all was well for so long.
fn lost_after(losses: &mut Losses, well: Duration, end: StreamEnd) -> Next {
    losses.lost(end, well, BACKOFF, 1.0)
}

fn pause(losses: &mut Losses) -> u128 {
    pause_after(losses, Duration::ZERO)
}

fn pause_after(losses: &mut Losses, well: Duration) -> u128 {
    match lost_after(losses, well, failed(Code::RuntimeUnreachable)) {
        Next::Again { failure, pause } => {
            assert_eq!(failure.code, Code::RuntimeUnreachable);
            pause.as_millis()
        }
        Next::End(end) => panic!("{end:?}"),
    }
}

#[test]
fn each_pause_is_twice_as_long_up_to_the_longest_until_all_was_well_for_long() {
    let mut losses = Losses::default();
    let pauses: Vec<u128> = (0..7).map(|_| pause(&mut losses)).collect();
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 2000, 2000]);
    for _ in 0..100 {
        assert_eq!(pause(&mut losses), 2000);
    }
    let (shorter, longest) = (Duration::from_millis(1999), Duration::from_secs(2));
    assert_eq!(
        pause_after(&mut losses, shorter),
        2000,
        "it greets and is gone"
    );
    assert_eq!(pause_after(&mut losses, longest), 100);
    assert_eq!(pause(&mut losses), 200);
}

#[test]
fn a_pause_is_a_part_by_chance() {
    let end = failed(Code::RuntimeFailed);
    let next = Losses::default().lost(end, Duration::ZERO, BACKOFF, 0.25);
    let expected = Next::Again {
        failure: Failure::new(Code::RuntimeFailed),
        pause: Duration::from_millis(25),
    };
    assert_eq!(next, expected);
}

#[test]
fn who_asks_for_time_gets_it_within_reason() {
    for (asked, given) in [(50, 100), (700, 700), (3_600_000, 2000)] {
        let failure = Failure::new(Code::RuntimeUnavailable).with_retry_after_ms(asked);
        let next = lost(&mut Losses::default(), StreamEnd::Failed(failure.clone()));
        let expected = Next::Again {
            failure,
            pause: Duration::from_millis(given),
        };
        assert_eq!(next, expected);
    }
}

#[test]
fn where_the_runtime_cannot_go_on_nobody_waits() {
    for code in [
        Code::CursorExpired,
        Code::CursorUnknown,
        Code::WorkerNotFound,
        Code::OperationUnsupported,
    ] {
        let next = lost(&mut Losses::default(), failed(code));
        assert_eq!(next, Next::End(failed(code)));
    }
    let next = lost(&mut Losses::default(), StreamEnd::Complete);
    assert_eq!(next, Next::End(StreamEnd::Complete));
}

#[test]
fn a_runtime_that_drains_or_lets_go_of_us_comes_back() {
    for end in [StreamEnd::Draining, StreamEnd::SlowConsumer] {
        let next = lost(&mut Losses::default(), end);
        let Next::Again { failure, .. } = next else {
            panic!("{next:?}")
        };
        assert_eq!(failure.code, Code::RuntimeUnavailable);
    }
}

#[test]
fn what_is_not_the_contract_is_given_one_more_chance() {
    let garbled = || failed(Code::RuntimeProtocolError);
    let mut losses = Losses::default();
    let first = lost(&mut losses, garbled());
    assert!(matches!(first, Next::Again { .. }), "{first:?}");
    // A lost link between the two is no word of the Runtime's.
    pause(&mut losses);
    assert_eq!(lost(&mut losses, garbled()), Next::End(garbled()));

    losses.live();
    let again = lost(&mut losses, garbled());
    assert!(matches!(again, Next::Again { .. }), "{again:?}");
}
