use std::time::Duration;

use yoi_protocol::{Code, Failure, Origin, Reason, RuntimeInfo, RuntimeState, RuntimeStatus};

use super::{Presence, PresenceSettings};

fn info() -> RuntimeInfo {
    serde_json::from_value(serde_json::json!({
        "runtime_id": "r", "boot_id": "b", "api_version": "v1", "version": "0",
        "status": "running", "store": "memory", "capabilities": ["workers.list"],
        "started_at": "2026-01-01T00:00:00.000Z",
    }))
    .unwrap()
}

fn status(presence: &Presence) -> RuntimeStatus {
    presence.sight(&PresenceSettings::default()).status
}

#[tokio::test(start_paused = true)]
async fn a_status_is_derived_when_read_and_ages_by_itself() {
    let presence = Presence::default();
    assert_eq!(status(&presence), RuntimeStatus::Unknown);
    presence.told(info());
    assert_eq!(status(&presence), RuntimeStatus::Online);
    tokio::time::advance(Duration::from_secs(21)).await;
    assert_eq!(status(&presence), RuntimeStatus::Unknown);
    let sight = presence.sight(&PresenceSettings::default());
    assert_eq!(sight.age_ms, Some(21_000));
    assert!(sight.info.is_some(), "what was seen stays known");
}

#[tokio::test(start_paused = true)]
async fn failures_of_the_link_are_told_until_it_answers_again() {
    let presence = Presence::default();
    presence.told(info());
    let lost: Result<(), _> =
        Err(Failure::new(Code::RuntimeUnreachable).with_reason(Reason::Refused));
    presence.note(&lost);
    assert_eq!(status(&presence), RuntimeStatus::Offline);
    let error = presence
        .sight(&PresenceSettings::default())
        .last_error
        .unwrap();
    assert_eq!(
        (error.code, error.reason),
        (Code::RuntimeUnreachable, Some(Reason::Refused))
    );
    let refused: Result<(), _> = Err(Failure::new(Code::RuntimeAuthFailed));
    presence.note(&refused);
    assert_eq!(status(&presence), RuntimeStatus::Degraded);
    let hurry: Result<(), _> = Err(Failure::new(Code::RuntimeTimedOut));
    presence.note(&hurry);
    assert_eq!(
        status(&presence),
        RuntimeStatus::Degraded,
        "a caller's hurry says nothing"
    );
    let busy: Result<(), _> = Err(Failure::new(Code::WorkerBusy));
    presence.note(&busy);
    assert_eq!(status(&presence), RuntimeStatus::Online);
}

#[tokio::test(start_paused = true)]
async fn a_draining_runtime_is_degraded() {
    let presence = Presence::default();
    presence.told(RuntimeInfo {
        status: RuntimeState::Draining,
        ..info()
    });
    assert_eq!(status(&presence), RuntimeStatus::Degraded);
}

#[test]
fn pauses_are_spread_by_a_fifth() {
    let settings = PresenceSettings {
        every: Duration::from_secs(10),
        ..PresenceSettings::default()
    };
    assert_eq!(settings.pause(0.0), Duration::from_secs(8));
    assert_eq!(settings.pause(1.0), Duration::from_secs(12));
}

#[tokio::test(start_paused = true)]
async fn what_the_backend_refuses_by_itself_says_nothing_of_the_runtime() {
    let presence = Presence::default();
    let lost = Failure::new(Code::RuntimeUnreachable).with_reason(Reason::Refused);
    presence.note::<()>(&Err(lost));
    for reason in [Reason::CircuitOpen, Reason::Overloaded] {
        let refused = Failure::new(Code::RuntimeUnavailable).with_reason(reason);
        presence.note::<()>(&Err(refused.by(Origin::Backend)));
        assert_eq!(status(&presence), RuntimeStatus::Offline);
    }
    let told = presence.sight(&PresenceSettings::default()).last_error;
    assert_eq!(told.unwrap().code, Code::RuntimeUnreachable);
}
