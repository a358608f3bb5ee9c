//! Sending again under the same key: the same answer, and nothing happens twice.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Scope, said};
use crate::api::{Answer, Command};
use crate::kill::client::look;
use crate::kill::ledger::{Fate, Known, Operation};

/// One of so many keys is tried with another body.
const CONFLICTS: u8 = 8;

/// Sends what has a key again: what is in doubt, what was acknowledged in the last round, and some
/// of what was acknowledged earlier.
pub(super) async fn send_again(scope: &Scope, known: &mut Known, rng: &mut Rng) {
    let odds = 1.0 / known.deeds.len().max(1) as f64;
    for place in 0..known.deeds.len() {
        let deed = &known.deeds[place];
        if deed.command.key.is_none() {
            continue;
        }
        match &deed.fate {
            Fate::Acknowledged(answer) => {
                if scope.is_whole || deed.round >= scope.round || rng.f64() < odds {
                    replays(scope, &deed.command, answer).await;
                    if rng.u8(..CONFLICTS) == 0 {
                        conflicts(scope, &deed.command).await;
                    }
                }
            }
            Fate::Doubtful => settle(scope, known, place).await,
            Fate::Seen | Fate::Absent => {}
        }
    }
}

async fn send(scope: &Scope, command: &Command) -> Answer {
    let answer = scope.api.send(command).await;
    answer.unwrap_or_else(|| panic!("no answer to {command:?}"))
}

/// The first answer again, to the byte.
async fn replays(scope: &Scope, command: &Command, first: &Answer) {
    let expected = Answer {
        is_replayed: true,
        ..first.clone()
    };
    assert_eq!(send(scope, command).await, expected, "{command:?}");
}

/// The key is not free for anything else.
async fn conflicts(scope: &Scope, command: &Command) {
    let mut body: Value = serde_json::from_str(&command.body).expect("JSON");
    let field = ["display_name", "content", "reason", "run_id"]
        .into_iter()
        .find(|field| body.get(field).is_some())
        .unwrap_or("reason");
    body[field] = json!("something-else");
    let other = Command {
        body: body.to_string(),
        ..command.clone()
    };
    let answer = send(scope, &other).await;
    assert_eq!(answer.status, 422, "{other:?}: {answer:?}");
}

/// Sends a command that is in doubt again: it is applied now, or it was before, and once.
async fn settle(scope: &Scope, known: &mut Known, place: usize) {
    let before = was_done(scope, known, place).await;
    let deed = &known.deeds[place];
    let (operation, command) = (deed.operation, deed.command.clone());
    let answer = send(scope, &command).await;
    assert!(answer.is_success(), "{command:?}: {answer:?}");
    if let Some(was_done) = before {
        assert_eq!(answer.is_replayed, was_done, "{command:?}: {answer:?}");
    }
    let listed = known.id.clone();
    known.learn(place, &answer);
    match operation {
        Operation::Create => assert!(
            listed.is_none() || listed == known.id,
            "{listed:?} is not {answer:?}"
        ),
        Operation::Input => {
            let content = known.deeds[place].content();
            assert_eq!(
                said::count(scope, known.id(), &content).await,
                1,
                "{answer:?}"
            );
            if answer.is_replayed {
                known.active_run = None;
            } else if !known.is_slow {
                look(&scope.api, known).await;
            }
        }
        Operation::Cancel | Operation::Stop => {}
    }
    replays(scope, &command, &answer).await;
    known.deeds[place].fate = Fate::Acknowledged(answer);
}

/// Whether a command shows already; `None` when that cannot be seen.
async fn was_done(scope: &Scope, known: &Known, place: usize) -> Option<bool> {
    let deed = &known.deeds[place];
    match deed.operation {
        Operation::Create => Some(known.id.is_some()),
        Operation::Input => {
            let count = said::count(scope, known.id(), &deed.content()).await;
            // What was said may be given up, in a store with bounds.
            (count > 0 || !scope.is_bounded).then_some(count > 0)
        }
        Operation::Stop => {
            let worker = scope.api.get(&format!("/v1/workers/{}", known.id())).await;
            Some(worker["status"] == "stopped")
        }
        Operation::Cancel => None,
    }
}
