//! The decision to try again, over every code.

use std::time::Duration;

use yoi_client::RetryPolicy;
use yoi_client::retry::{Attempted, Decision};
use yoi_protocol::{Code, Effect, Failure, Reason};

const POLICY: RetryPolicy = RetryPolicy {
    max_attempts: 3,
    base: Duration::from_millis(100),
    max: Duration::from_millis(150),
    ..RetryPolicy::NEVER
};

fn after(failure: &Failure) -> Attempted<'_> {
    Attempted {
        attempts: 1,
        command: true,
        effect: failure.effect,
        may_resend: false,
        failure,
        passed_on: false,
        left: Duration::from_secs(10),
    }
}

fn retries(attempted: &Attempted<'_>) -> bool {
    matches!(POLICY.decide(attempted, 0.5), Decision::Retry(_))
}

/// Whether a code tells of something that may be over a moment later.
fn passes(code: Code) -> bool {
    [
        Code::RuntimeUnreachable,
        Code::RuntimeUnavailable,
        Code::RuntimeTimedOut,
        Code::RuntimeFailed,
        Code::Unavailable,
        Code::TimedOut,
        Code::Internal,
    ]
    .contains(&code)
}

#[test]
fn a_command_is_sent_again_only_when_that_is_safe() {
    for &code in Code::ALL {
        for effect in [Effect::None, Effect::Unknown] {
            for may_resend in [false, true] {
                let failure = Failure::new(code).with_effect(effect);
                let attempted = Attempted {
                    may_resend,
                    ..after(&failure)
                };
                let safe = effect == Effect::None || may_resend;
                assert_eq!(
                    retries(&attempted),
                    passes(code) && safe,
                    "{code} {effect:?} {may_resend}"
                );
            }
        }
    }
}

#[test]
fn a_read_is_sent_again_whatever_it_may_have_done() {
    for &code in Code::ALL {
        let failure = Failure::new(code).with_effect(Effect::Unknown);
        let attempted = Attempted {
            command: false,
            ..after(&failure)
        };
        assert_eq!(retries(&attempted), passes(code), "{code}");
    }
}

#[test]
fn an_earlier_unknown_counts_for_later_attempts() {
    let failure = Failure::new(Code::RuntimeUnreachable);
    let attempted = Attempted {
        effect: Effect::Unknown,
        ..after(&failure)
    };
    assert_eq!(POLICY.decide(&attempted, 0.5), Decision::Stop);
}

#[test]
fn what_cannot_pass_soon_is_left_alone() {
    let tls = Failure::new(Code::RuntimeUnreachable).with_reason(Reason::Tls);
    assert!(!retries(&after(&tls)));
    let open = Failure::new(Code::RuntimeUnavailable).with_reason(Reason::CircuitOpen);
    assert!(!retries(&after(&open)));
}

#[test]
fn attempts_are_counted() {
    let failure = Failure::new(Code::RuntimeUnreachable);
    let decided: Vec<bool> = (1..=4)
        .map(|attempts| {
            retries(&Attempted {
                attempts,
                ..after(&failure)
            })
        })
        .collect();
    assert_eq!(decided, [true, true, false, false]);
}

#[test]
fn what_a_backend_has_tried_again_is_not_tried_again() {
    let failure = Failure::new(Code::RuntimeUnreachable);
    let attempted = Attempted {
        passed_on: true,
        ..after(&failure)
    };
    assert!(!retries(&attempted));
}

#[test]
fn the_wait_doubles_to_a_bound_and_is_jittered() {
    let failure = Failure::new(Code::RuntimeUnreachable);
    let wait = |attempts, jitter| {
        let attempted = Attempted {
            attempts,
            ..after(&failure)
        };
        match POLICY.decide(&attempted, jitter) {
            Decision::Retry(wait) => wait,
            Decision::Stop => panic!("it must be tried again"),
        }
    };
    assert_eq!(wait(1, 0.0), Duration::from_millis(100));
    assert_eq!(wait(1, 1.0), Duration::from_millis(50));
    assert_eq!(wait(2, 0.0), Duration::from_millis(150), "not 200");
    assert_eq!(wait(2, 9.0), Duration::from_millis(75), "jitter is bounded");
}

#[test]
fn the_server_may_ask_for_more_patience() {
    let failure = Failure::new(Code::RuntimeUnavailable).with_retry_after_ms(3000);
    assert_eq!(
        POLICY.decide(&after(&failure), 0.5),
        Decision::Retry(Duration::from_millis(3000))
    );
}

#[test]
fn a_wait_past_the_deadline_is_not_begun() {
    let failure = Failure::new(Code::RuntimeUnavailable).with_retry_after_ms(3000);
    for (left, retried) in [(2999, false), (3000, false), (3001, true)] {
        let attempted = Attempted {
            left: Duration::from_millis(left),
            ..after(&failure)
        };
        assert_eq!(retries(&attempted), retried, "{left} ms left");
    }
}
