//! Problems in the Runtime's name.

use yoi_protocol::{Code, Failure, Origin, Problem, Subject, header};

use super::answer::{ANOTHER, said};
use super::{Fault, Scene};
use crate::fixtures::problems;
use crate::link::answer::Answer;
use crate::link::step::Script;

/// How soon one may come back who is told to, in milliseconds: soon, for a test.
const RETRY_AFTER_MS: u64 = 5;

/// The problem as a Runtime says it. It never saw the request: whatever effect it tells is true.
pub(super) fn coded(scene: &Scene<'_>) -> Script {
    let Fault::Coded(code) = scene.fault else {
        unreachable!("{} has a script of its own", scene.fault);
    };
    said(&word(code, scene))
}

/// An answer with this code, as a Runtime gives it.
pub(super) fn word(code: Code, scene: &Scene<'_>) -> Answer {
    let failure = problems::failure(code, scene.asked.operation());
    let failure = match code {
        Code::Unavailable | Code::RuntimeUnavailable => failure.with_retry_after_ms(RETRY_AFTER_MS),
        _ => failure,
    };
    signed(failure, scene)
}

/// An answer that tells of a failure, as a Runtime gives it.
pub(super) fn signed(failure: Failure, scene: &Scene<'_>) -> Answer {
    let about = Subject {
        runtime_id: Some(scene.runtime_id.clone()),
        ..Subject::default()
    };
    let code = failure.code;
    let problem = failure.into_problem(Origin::Runtime, &about, scene.asked.operation());
    let retry = problem.details.retry_after_ms;
    let body = serde_json::to_vec(&problem).expect("the contract's bodies serialise");
    let mut answer = Answer::new(code.status(), Problem::CONTENT_TYPE, body);
    if retry.is_some() {
        answer.head.set("retry-after", "1");
    }
    let named = match code {
        // Who refuses a request for another names itself.
        Code::MisdirectedRequest => ANOTHER,
        _ => scene.runtime_id.as_str(),
    };
    answer.head.set(header::RUNTIME_ID, named);
    answer
}
