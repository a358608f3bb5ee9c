//! Faults in the body of an answer whose head is as it should be.

use std::time::Duration;

use super::Scene;
use crate::link::answer::{Answer, chunked};
use crate::link::step::{Script, Step};

/// How often a byte of a trickle comes.
const DRIP: Duration = Duration::from_millis(10);
/// One piece of a body that does not end.
const FLOOD: usize = 256 * 1024;
/// What a body announces that does not end.
const ENDLESS: &str = "1099511627776";

pub(super) fn closed_in_body(answer: Answer, scene: &mut Scene<'_>) -> Script {
    vec![up_to_some_byte(&answer, scene), Step::Close]
}

pub(super) fn reset_in_body(answer: Answer, scene: &mut Scene<'_>) -> Script {
    vec![up_to_some_byte(&answer, scene), Step::Reset]
}

pub(super) fn body_stalls(answer: Answer, scene: &mut Scene<'_>) -> Script {
    vec![up_to_some_byte(&answer, scene), Step::Hang]
}

pub(super) fn body_trickles(answer: Answer, _scene: &mut Scene<'_>) -> Script {
    vec![endless_head(answer), Step::Repeat(b" ".to_vec(), DRIP)]
}

pub(super) fn slow_body(answer: Answer, scene: &mut Scene<'_>) -> Script {
    let (head, body) = answer.parts();
    let middle = scene.chance.usize(0..=body.len());
    vec![
        Step::Say(head),
        Step::Pause(scene.slow),
        Step::Say(body[..middle].to_vec()),
        Step::Pause(scene.slow),
        Step::Say(body[middle..].to_vec()),
    ]
}

pub(super) fn body_in_pieces(answer: Answer, _scene: &mut Scene<'_>) -> Script {
    let Answer { mut head, body } = answer;
    head.remove("content-length");
    head.set("transfer-encoding", "chunked");
    vec![Step::Say(head.to_bytes()), Step::Say(chunked(&body))]
}

pub(super) fn oversized_body(answer: Answer, _scene: &mut Scene<'_>) -> Script {
    let flood = Step::Repeat(vec![b' '; FLOOD], Duration::ZERO);
    vec![endless_head(answer), flood]
}

pub(super) fn truncated_json(mut answer: Answer, scene: &mut Scene<'_>) -> Script {
    let end = scene.chance.usize(0..answer.body.len().max(1));
    answer.say(answer.body[..end].to_vec());
    vec![Step::Say(answer.to_bytes())]
}

/// The head, and the body up to some byte, possibly none of it, and never its end.
fn up_to_some_byte(answer: &Answer, scene: &mut Scene<'_>) -> Step {
    let (head, body) = answer.parts();
    let end = scene.chance.usize(0..body.len().max(1));
    Step::Say([&head[..], &body[..end]].concat())
}

/// The head of a body that does not end. What it is said to hold may begin with spaces.
fn endless_head(mut answer: Answer) -> Step {
    answer.head.set("content-length", ENDLESS);
    Step::Say(answer.head.to_bytes())
}
