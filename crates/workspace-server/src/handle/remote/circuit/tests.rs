use super::*;

const SETTINGS: CircuitSettings = CircuitSettings {
    failures: 3,
    pause: Backoff {
        base: Duration::from_secs(1),
        max: Duration::from_secs(4),
    },
};

/// A circuit that is open since `now`.
fn open(now: Instant) -> Circuit {
    let mut circuit = Circuit::new(SETTINGS);
    for _ in 0..3 {
        assert_eq!(circuit.admit(now), Ok(Ticket::Call));
        circuit.note(Sign::Failed, Ticket::Call, now, 1.0);
    }
    assert_eq!(circuit.view(now).0, CircuitState::Open);
    circuit
}

#[tokio::test(start_paused = true)]
async fn it_opens_after_so_many_failures_in_a_row() {
    let now = Instant::now();
    let mut circuit = Circuit::new(SETTINGS);
    for sign in [
        Sign::Failed,
        Sign::Failed,
        Sign::Answered,
        Sign::Failed,
        Sign::Nothing,
    ] {
        circuit.note(sign, Ticket::Call, now, 1.0);
        assert_eq!(circuit.view(now), (CircuitState::Closed, None));
    }
    circuit.note(Sign::Failed, Ticket::Call, now, 1.0);
    assert_eq!(circuit.admit(now), Ok(Ticket::Call));
    circuit.note(Sign::Failed, Ticket::Call, now, 1.0);
    assert_eq!(circuit.admit(now), Err(Duration::from_secs(1)));
    let away = Some(Duration::from_secs(1));
    assert_eq!(circuit.view(now), (CircuitState::Open, away));
}

#[tokio::test(start_paused = true)]
async fn one_call_is_let_through_to_see() {
    let now = Instant::now();
    let mut circuit = open(now);
    let later = now + Duration::from_millis(999);
    assert_eq!(circuit.admit(later), Err(Duration::from_millis(1)));
    let later = now + Duration::from_secs(1);
    assert_eq!(circuit.closed_for(later), Duration::ZERO);
    assert_eq!(circuit.admit(later), Ok(Ticket::Trial(1)));
    assert_eq!(circuit.view(later), (CircuitState::HalfOpen, None));
    assert!(circuit.admit(later).is_err(), "one, and not two");
    circuit.note(Sign::Answered, Ticket::Call, later, 1.0);
    assert_eq!(circuit.view(later).0, CircuitState::Closed);
    assert_eq!(circuit.admit(later), Ok(Ticket::Call));
}

#[tokio::test(start_paused = true)]
async fn each_time_that_it_did_not_help_it_stays_away_for_longer() {
    let mut now = Instant::now();
    let mut circuit = open(now);
    for seconds in [1, 2, 4, 4, 4] {
        let away = Duration::from_secs(seconds);
        assert_eq!(circuit.view(now), (CircuitState::Open, Some(away)));
        now += away;
        let trial = circuit.admit(now).unwrap();
        circuit.note(Sign::Failed, trial, now, 1.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_was_given_up_leaves_it_to_the_next() {
    let now = Instant::now();
    let mut circuit = open(now);
    let later = now + Duration::from_secs(1);
    let first = circuit.admit(later).unwrap();
    circuit.note(Sign::Nothing, first, later, 1.0);
    let second = circuit.admit(later).unwrap();
    // It has given up, and has nothing more to say.
    circuit.note(Sign::Failed, first, later, 1.0);
    assert_eq!(circuit.view(later), (CircuitState::HalfOpen, None));
    circuit.note(Sign::Failed, second, later, 1.0);
    let away = Some(Duration::from_secs(2));
    assert_eq!(circuit.view(later), (CircuitState::Open, away));
}

/// A look in the background, say, or a call that was under way before.
#[tokio::test(start_paused = true)]
async fn whoever_is_answered_closes_it_and_who_fails_late_changes_nothing() {
    let now = Instant::now();
    let mut circuit = open(now);
    circuit.note(
        Sign::Failed,
        Ticket::Call,
        now + Duration::from_millis(500),
        1.0,
    );
    let away = Some(Duration::from_secs(1));
    assert_eq!(circuit.view(now), (CircuitState::Open, away));
    circuit.note(Sign::Answered, Ticket::Call, now, 1.0);
    assert_eq!(circuit.view(now), (CircuitState::Closed, None));

    let mut circuit = open(now);
    let later = now + Duration::from_secs(1);
    let trial = circuit.admit(later).unwrap();
    for sign in [Sign::Failed, Sign::Nothing] {
        circuit.note(sign, Ticket::Call, later, 1.0);
        assert_eq!(circuit.view(later), (CircuitState::HalfOpen, None));
        assert!(circuit.admit(later).is_err(), "one, and not two");
    }
    circuit.note(Sign::Failed, trial, later, 1.0);
    let away = Some(Duration::from_secs(2));
    assert_eq!(circuit.view(later), (CircuitState::Open, away));
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_at_least_half_of_what_it_may_be() {
    let now = Instant::now();
    let mut circuit = Circuit::new(SETTINGS);
    for _ in 0..3 {
        circuit.note(Sign::Failed, Ticket::Call, now, 0.0);
    }
    assert_eq!(circuit.closed_for(now), Duration::from_millis(500));
}

#[test]
fn what_a_call_tells_of_the_link() {
    let timeouts = Timeouts {
        connect: Duration::from_secs(1),
        response: Duration::from_secs(5),
        request: Duration::from_secs(9),
    };
    let sign = |failure: Failure, took| {
        Sign::of::<()>(&Err(failure), Duration::from_secs(took), &timeouts)
    };
    let timed_out = |phase| Failure::new(Code::RuntimeTimedOut).with_phase(phase);
    assert_eq!(Sign::of(&Ok(()), Duration::ZERO, &timeouts), Sign::Answered);
    assert_eq!(
        sign(Failure::new(Code::RuntimeUnreachable), 0),
        Sign::Failed
    );
    for (phase, took, expected) in [
        (Phase::Connect, 1, Sign::Failed),
        (Phase::Connect, 0, Sign::Nothing),
        (Phase::Response, 5, Sign::Failed),
        (Phase::Response, 4, Sign::Nothing),
        (Phase::Body, 5, Sign::Failed),
        (Phase::Body, 4, Sign::Nothing),
    ] {
        assert_eq!(sign(timed_out(phase), took), expected, "{phase:?} {took}");
    }
    for code in [
        Code::WorkerNotFound,
        Code::RuntimeAuthFailed,
        Code::StoreFailed,
    ] {
        assert_eq!(sign(Failure::new(code), 0), Sign::Answered);
    }
    assert_eq!(sign(Failure::new(Code::TimedOut), 0), Sign::Nothing);
    let its_word = Failure::new(Code::TimedOut).by(Origin::Runtime);
    assert_eq!(sign(its_word, 0), Sign::Answered);
}

#[test]
fn a_look_that_nobody_answered_found_nobody() {
    let timeouts = Timeouts::default();
    let silence = Failure::new(Code::RuntimeTimedOut).with_phase(Phase::Response);
    let sign = |failure| Sign::of_look::<()>(&Err(failure), Duration::ZERO, &timeouts);
    assert_eq!(sign(silence), Sign::Failed);
    assert_eq!(sign(Failure::new(Code::RuntimeFailed)), Sign::Answered);
}

#[test]
fn a_stream_that_is_reset_says_nothing_of_calls() {
    let unreachable =
        |reason| Err::<(), _>(Failure::new(Code::RuntimeUnreachable).with_reason(reason));
    let sign = |result| Sign::of_opening(&result, Duration::ZERO, &Timeouts::default());
    assert_eq!(sign(unreachable(Reason::Reset)), Sign::Nothing);
    assert_eq!(sign(unreachable(Reason::Refused)), Sign::Failed);
    assert_eq!(sign(Ok(())), Sign::Answered);
}
