//! Problems that are not, or not quite, a Runtime's word.
//!
//! An answer is coded with a known code, the status that belongs to it and the right id in its
//! head. Each of these breaks one of the three, or leaves it open what a command did. The Runtime
//! has done what it was asked, wherever the table lets a caller be uncertain of that: so whoever
//! believes what such a problem says of the effect tells something that is not true.

use serde_json::{Map, Value};
use yoi_protocol::{Code, Effect, header};

use super::Scene;
use super::answer::{ANOTHER, said};
use super::coded::{signed, word};
use crate::fixtures::problems;
use crate::link::answer::Answer;
use crate::link::step::{Script, Step};

/// A code of a later version.
const FROM_THE_FUTURE: &str = "from_the_future";

pub(super) fn of_another_status(_answer: Answer, scene: &mut Scene<'_>) -> Script {
    let mut answer = word(Code::WorkerNotFound, scene);
    answer.head.set_status(502, "Bad Gateway");
    last(&answer)
}

pub(super) fn unsigned(scene: &Scene<'_>) -> Script {
    let mut answer = word(Code::WorkerNotFound, scene);
    answer.head.remove(header::RUNTIME_ID);
    said(&answer)
}

pub(super) fn unknown_code(_answer: Answer, scene: &mut Scene<'_>) -> Script {
    let answer = word(Code::StoreFailed, scene);
    last(&edited(answer, |problem| {
        problem.insert("code".to_owned(), FROM_THE_FUTURE.into());
    }))
}

pub(super) fn of_another_runtime(_answer: Answer, scene: &mut Scene<'_>) -> Script {
    let mut answer = word(Code::WorkerNotFound, scene);
    answer.head.set(header::RUNTIME_ID, ANOTHER);
    last(&answer)
}

pub(super) fn without_effect(_answer: Answer, scene: &mut Scene<'_>) -> Script {
    let answer = word(Code::StoreFailed, scene);
    last(&edited(answer, |problem| {
        problem.remove("effect");
    }))
}

pub(super) fn store_failed_uncertain(_answer: Answer, scene: &mut Scene<'_>) -> Script {
    uncertain(Code::StoreFailed, scene)
}

pub(super) fn timed_out_uncertain(_answer: Answer, scene: &mut Scene<'_>) -> Script {
    uncertain(Code::TimedOut, scene)
}

fn uncertain(code: Code, scene: &Scene<'_>) -> Script {
    let failure = problems::failure(code, scene.asked.operation());
    last(&signed(failure.with_effect(Effect::Unknown), scene))
}

fn edited(mut answer: Answer, edit: impl FnOnce(&mut Map<String, Value>)) -> Answer {
    let mut problem = serde_json::from_slice(&answer.body).expect("it was written as JSON");
    edit(&mut problem);
    answer.say(Value::Object(problem).to_string());
    answer
}

/// All of an answer, and no more: what was to become a stream becomes none.
fn last(answer: &Answer) -> Script {
    vec![Step::Say(answer.to_bytes()), Step::Close]
}
