//! What contradicts the contract.

use std::fmt::Debug;
use std::time::Duration;

use yoi_client::Timeouts;
use yoi_protocol::stream::close_code;
use yoi_protocol::{
    Code, Details, Effect, Operation, Origin, Problem, RequestId, RuntimeId, StreamEnd, header,
};

use super::ask::worker_of;
use super::stage::RUNTIME;
use super::watch::{RESTORED, Watch};
use super::{Answered, Closed, Pace, Times, Told, Watched};
use crate::fault::{LinkRow, Outcome};
use crate::fixtures::problems;
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

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn and(&mut self, other: Self) {
        self.0.extend(other.0);
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

    /// It came by then, or little later on a busy machine.
    pub(super) fn late(&mut self, took: Duration, within: Duration, pace: &Pace) {
        let late = within + pace.patience / 2;
        self.unless(took <= late, || format!("took {took:?}"));
    }
}

/// How long an answer may take while this happens: what the Backend waits for, and how long it
/// keeps away from a Runtime that asks for that.
pub(super) fn within(case: Case, pace: &Pace) -> Duration {
    let Timeouts {
        connect,
        response,
        request,
        ..
    } = pace.timeouts;
    let tries = match case.times {
        Times::Always => pace.retry.max_attempts,
        Times::Once => 1,
    };
    let pauses = pace.retry.max_attempts - 1;
    match case.fault {
        Fault::ConnectNeverCompletes => connect * tries,
        Fault::NoHead | Fault::HeadStalls | Fault::BodyStalls => response * tries,
        Fault::BodyTrickles => request,
        Fault::SlowHead | Fault::SlowBody => pace.slow * 2,
        Fault::WriteHangs | Fault::ReadHangs => pace.operation * tries,
        Fault::Uncoded(429 | 503) | Fault::Coded(Code::Unavailable) | Fault::RuntimeDrains => {
            COME_BACK * pauses
        }
        _ => Duration::ZERO,
    }
}

/// When a Runtime that takes nothing wants to be asked again.
const COME_BACK: Duration = Duration::from_secs(1);

/// What is wrong with a problem, whatever it is about: it names what was asked, and says the same
/// as the head of its answer.
pub(super) fn problem(case: Case, problem: &Problem, reply: &Reply, wrong: &mut Wrong) {
    let mut same = |what: &str, told: &dyn Debug, expected: &dyn Debug| {
        let (told, expected) = (format!("{told:?}"), format!("{expected:?}"));
        wrong.unless(told == expected, || {
            format!("{what} is {told}, not {expected}")
        });
    };
    let code = problem.code;
    same("the status in the body", &problem.status, &reply.status);
    same("the type", &problem.problem_type, &code.urn());
    same("the title", &problem.title, &code.title());
    let runtime_id = problem.runtime_id.as_ref().map(RuntimeId::as_str);
    same("the runtime", &runtime_id, &Some(RUNTIME));
    let about_one = case.operation != Operation::ListWorkers;
    let worker_id = about_one.then(|| worker_of(case.operation));
    same("the worker", &problem.worker_id, &worker_id);
    let request_id = problem.request_id.as_ref().map(RequestId::as_str);
    same(
        "the request",
        &request_id,
        &reply.header(header::REQUEST_ID),
    );
    let after = reply.header("retry-after").is_some();
    let comes_back = problem.details.retry_after_ms.is_some();
    same("retry_after_ms, with a header or not,", &comes_back, &after);
    if code == Code::RuntimeUnavailable {
        same("whether it says when to come back", &after, &true);
    }
    // What a Runtime says of its own is passed on with all that belongs to it.
    if case.fault == Fault::Coded(code) {
        let said = problems::failure(code, Some(case.operation)).details;
        let told = Details {
            reason: said.reason,
            retry_after_ms: said.retry_after_ms,
            ..problem.details.clone()
        };
        same("what belongs to the code", &told, &*said);
    }
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

fn failed(case: Case, row: LinkRow, told: &Told, status: u16, wrong: &mut Wrong) {
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
fn origin(row: LinkRow) -> Origin {
    match row.code {
        Code::RuntimeUnreachable | Code::RuntimeTimedOut => Origin::Link,
        _ => Origin::Runtime,
    }
}

/// What a watcher must see.
enum Expected {
    /// That the stream goes on, and that nothing else happens.
    Lives,
    /// That it is lost so and comes back, and goes on.
    Restored(Code),
    /// That it ends so.
    Ends(Closed),
}

fn expected(case: Case) -> Expected {
    let lost = match case.fault.outcome(case.operation) {
        Outcome::Unharmed => return Expected::Lives,
        Outcome::Fails(row) => return Expected::Ends(closed(row.code)),
        Outcome::Breaks(row) => row.code,
        // It is the Runtime that shuts down, or lets go of its Backend, and not who tells it.
        Outcome::Ends(StreamEnd::Draining | StreamEnd::SlowConsumer) => Code::RuntimeUnavailable,
        // Only who has read the stream knows that more must come; and nobody has said anything.
        Outcome::Ends(StreamEnd::Complete | StreamEnd::ObservationOnly) => {
            Code::RuntimeProtocolError
        }
        Outcome::Ends(StreamEnd::Failed(failure)) => failure.code,
    };
    match lost {
        // The Runtime cannot go on from there.
        Code::CursorExpired | Code::CursorUnknown | Code::WorkerNotFound => {
            Expected::Ends(closed(lost))
        }
        lost => Expected::Restored(lost),
    }
}

/// What a watcher waits for before it looks whether anything else comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    /// That the stream is live.
    Life,
    /// That it is, and was lost and came back.
    Return,
    /// That it ends, whatever is tried again.
    End,
}

/// What a watcher waits for in this case.
pub(super) fn awaits(case: Case) -> Awaits {
    match expected(case) {
        Expected::Restored(_) => Awaits::Return,
        Expected::Ends(_) if case.times == Times::Always => Awaits::End,
        Expected::Lives | Expected::Ends(_) => Awaits::Life,
    }
}

/// What is wrong with what a watcher saw.
pub(super) fn watched(case: Case, watch: &Watch, watched: &Watched, wrong: &mut Wrong) {
    let lives = watched.caught_up && watched.live && watched.end.is_none();
    let told = |controls: &[String]| watched.controls == controls;
    let outcome = case.fault.outcome(case.operation);
    let expected = expected(case);
    let right = match &expected {
        Expected::Lives => lives && told(&[]),
        Expected::Restored(code) => {
            let lost = format!("upstream_lost {code}");
            lives && told(&[lost, RESTORED.to_owned()])
        }
        Expected::Ends(end) => {
            watched.end.as_ref() == Some(end) || (case.times == Times::Once && lives)
        }
    };
    wrong.unless(right, || match &expected {
        Expected::Lives => "should go on, live".to_owned(),
        Expected::Restored(code) => format!("should be lost ({code}), and come back"),
        Expected::Ends(end) => format!("should be {end}"),
    });
    let stood = matches!(outcome, Outcome::Breaks(_) | Outcome::Ends(_));
    wrong.unless(watched.caught_up || !stood, || {
        "broke off before it stood".to_owned()
    });
    wrong.unless(
        case.fault != Fault::UnknownEventType || watch.saw_the_unknown(),
        || "an event of an unknown type should pass, whole".to_owned(),
    );
}

fn closed(code: Code) -> Closed {
    Closed {
        code: close_code(code),
        diagnostic: Some(code.as_str().to_owned()),
    }
}
