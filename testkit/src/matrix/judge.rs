//! What contradicts the contract.

use std::time::Duration;

use yoi_protocol::stream::close_code;
use yoi_protocol::{
    Code, Effect, Operation, Origin, Problem, RequestId, RuntimeId, StreamEnd, header,
};

use super::stage::RUNTIME;
use super::{Answered, Pace, Times, Told, Watched};
use crate::fault::{Outcome, Row};
use crate::{Canaries, Fault, Reply};

/// What happened to whom, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) operation: Operation,
    pub(super) fault: Fault,
    pub(super) times: Times,
}

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(super) struct Wrong(Vec<String>);

impl Wrong {
    pub(super) fn that(&mut self, wrong: impl Into<String>) {
        self.0.push(wrong.into());
    }

    pub(super) fn unless(&mut self, right: bool, wrong: impl FnOnce() -> String) {
        if !right {
            self.0.push(wrong());
        }
    }

    pub(super) fn into_vec(self) -> Vec<String> {
        self.0
    }

    /// Nothing of what was said shows a secret.
    pub(super) fn shown<'a>(
        &mut self,
        canaries: &Canaries,
        said: impl IntoIterator<Item = &'a str>,
    ) {
        for text in said {
            if let Some(name) = canaries.shown(text) {
                self.that(format!("shows {name}: {text}"));
            }
        }
    }

    /// It came by then.
    pub(super) fn late(&mut self, took: Duration, pace: &Pace) {
        let most = pace.deadline + pace.slack;
        self.unless(took <= most, || {
            format!("took {took:?}, more than {most:?}")
        });
    }
}

/// What is wrong with a problem, whatever it is about: it names what was asked, and says the same
/// as the head of its answer.
pub(super) fn problem(problem: &Problem, reply: &Reply, wrong: &mut Wrong) {
    wrong.unless(problem.status == reply.status, || {
        format!("says that its status is {}", problem.status)
    });
    let runtime_id = problem.runtime_id.as_ref().map(RuntimeId::as_str);
    wrong.unless(runtime_id == Some(RUNTIME), || {
        format!("is about the runtime {runtime_id:?}")
    });
    let request_id = problem.request_id.as_ref().map(RequestId::as_str);
    wrong.unless(
        request_id.is_some() && request_id == reply.header(header::REQUEST_ID),
        || format!("names the request {request_id:?}"),
    );
    let after = reply.header("retry-after").is_some();
    wrong.unless(after == problem.details.retry_after_ms.is_some(), || {
        "retry-after and retry_after_ms go together".to_owned()
    });
    wrong.unless(after || problem.code != Code::RuntimeUnavailable, || {
        "does not say when to come back".to_owned()
    });
}

/// What is wrong with an answer, which the link table knows, and with the effect that it tells:
/// `applied` is whether the command did in truth take effect, where that is known.
pub(super) fn answered(case: Case, answered: &Answered, applied: Option<bool>, wrong: &mut Wrong) {
    let told = answered.told.as_ref();
    wrong.unless(
        told.is_some() != (200..300).contains(&answered.status),
        || format!("{} is no status for it", answered.status),
    );
    match case.fault.outcome(case.operation) {
        Outcome::Unharmed => wrong.unless(told.is_none(), || "it should have succeeded".into()),
        Outcome::Fails(row) => match told {
            Some(told) => failed(case, row, told, answered.status, wrong),
            None => wrong.unless(case.times == Times::Once, || format!("should be {row}")),
        },
        Outcome::Ends(_) | Outcome::Breaks(_) => {
            wrong.that("only an observation can break off later");
        }
    }
    let effect = told.map(|told| told.effect);
    match (effect, applied) {
        (Some(Some(Effect::None)), Some(true)) => {
            wrong.that("told that nothing was done, and it was");
        }
        (None, Some(false)) => wrong.that("told that it was done, and it was not"),
        _ => {}
    }
}

fn failed(case: Case, row: Row, told: &Told, status: u16, wrong: &mut Wrong) {
    let effect = case.operation.is_command().then_some(row.effect);
    let expected = Told {
        code: row.code,
        reason: row.reason,
        phase: row.phase,
        origin: origin(row),
        effect,
    };
    wrong.unless(*told == expected, || format!("should be {expected}"));
    wrong.unless(status == row.code.status(), || {
        format!("should be {}", row.code.status())
    });
}

/// Who failed: the link where nobody answered, the Runtime everywhere else.
fn origin(row: Row) -> Origin {
    match row.code {
        Code::RuntimeUnreachable | Code::RuntimeTimedOut => Origin::Link,
        _ => Origin::Runtime,
    }
}

/// What is wrong with what a watcher saw.
pub(super) fn watched(case: Case, watched: &Watched, wrong: &mut Wrong) {
    let lives = watched.live && watched.end.is_none();
    let expected = match case.fault.outcome(case.operation) {
        Outcome::Unharmed => None,
        Outcome::Fails(row) | Outcome::Breaks(row) => {
            Some((close_code(row.code), Some(row.code.as_str().to_owned())))
        }
        // It is the Runtime that shuts down, not who tells it.
        Outcome::Ends(StreamEnd::Draining) => {
            let code = Code::RuntimeUnavailable;
            Some((close_code(code), Some(code.as_str().to_owned())))
        }
        Outcome::Ends(end) => {
            let about = yoi_protocol::Subject::default();
            let code = end.diagnostic(&about).map(|diagnostic| diagnostic.code);
            Some((end.close_code(), code))
        }
    };
    let right = match &expected {
        None => lives,
        Some(end) => watched.end.as_ref() == Some(end) || (case.times == Times::Once && lives),
    };
    wrong.unless(right, || match &expected {
        None => "should go on, live".to_owned(),
        Some((close, code)) => format!("should be closed with {close} {code:?}"),
    });
}
