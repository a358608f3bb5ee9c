//! Faults before there is a whole head of an answer.

use super::Scene;
use crate::link::answer::Answer;
use crate::link::step::{Script, Step};

pub(super) fn request_lost(_scene: &Scene<'_>) -> Script {
    vec![Step::Reset]
}

pub(super) fn closed_before_head(_answer: Answer, _scene: &mut Scene<'_>) -> Script {
    vec![Step::Close]
}

pub(super) fn reset_before_head(_answer: Answer, _scene: &mut Scene<'_>) -> Script {
    vec![Step::Reset]
}

pub(super) fn closed_in_head(answer: Answer, scene: &mut Scene<'_>) -> Script {
    vec![part_of_head(&answer, scene), Step::Close]
}

pub(super) fn reset_in_head(answer: Answer, scene: &mut Scene<'_>) -> Script {
    vec![part_of_head(&answer, scene), Step::Reset]
}

pub(super) fn no_head(_answer: Answer, _scene: &mut Scene<'_>) -> Script {
    vec![Step::Hang]
}

pub(super) fn head_stalls(answer: Answer, scene: &mut Scene<'_>) -> Script {
    vec![part_of_head(&answer, scene), Step::Hang]
}

pub(super) fn slow_head(answer: Answer, scene: &mut Scene<'_>) -> Script {
    let (head, body) = answer.parts();
    let middle = scene.chance.usize(1..head.len());
    vec![
        Step::Pause(scene.slow),
        Step::Say(head[..middle].to_vec()),
        Step::Pause(scene.slow),
        Step::Say([&head[middle..], &body].concat()),
    ]
}

/// The head up to some byte, the first at least, and never its end.
fn part_of_head(answer: &Answer, scene: &mut Scene<'_>) -> Step {
    let (head, _body) = answer.parts();
    Step::Say(head[..scene.chance.usize(1..head.len())].to_vec())
}
