use std::time::Duration;

use tokio::time::Instant;
use yoi_protocol::Effect;

use super::Start;
use crate::error::RuntimeError;

fn in_a_while() -> Start {
    Start::new(Instant::now() + Duration::from_secs(60))
}

fn too_late() -> Result<(), RuntimeError> {
    let effect = Effect::None;
    Err(RuntimeError::TimedOut { effect })
}

#[test]
fn who_begins_first_is_carried_to_the_end() {
    let start = in_a_while();
    assert_eq!(start.begin(), Ok(()));
    assert_eq!(start.abandon(), Effect::Unknown);
    assert_eq!(start.begin(), Ok(()), "it has begun already");
}

#[test]
fn who_is_abandoned_first_never_begins() {
    let start = in_a_while();
    assert_eq!(start.abandon(), Effect::None);
    assert_eq!(
        start.begin(),
        too_late(),
        "the caller was told that nothing happened"
    );
}

#[test]
fn nothing_begins_at_its_deadline() {
    let start = Start::new(Instant::now());
    assert_eq!(start.begin(), too_late());
    assert_eq!(start.abandon(), Effect::None);
}
