//! Failures, and the problems that tell of them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use yoi_protocol::{
    Code, Details, Effect, Failure, FieldError, Origin, Phase, Problem, Reason, Subject,
};

use super::{count, operation, request_id, run_id, runtime_id, text, worker_id};

/// Any code.
pub fn code() -> impl Strategy<Value = Code> + Clone {
    select(Code::ALL)
}

pub(super) fn reason() -> impl Strategy<Value = Reason> + Clone {
    select(
        &[
            Reason::Dns,
            Reason::Refused,
            Reason::Tls,
            Reason::Reset,
            Reason::Draining,
            Reason::Overloaded,
            Reason::CircuitOpen,
        ][..],
    )
}

fn phase() -> impl Strategy<Value = Phase> + Clone {
    select(&[Phase::Connect, Phase::Response, Phase::Body][..])
}

/// A field at fault, and what is wrong with it.
pub fn field_error() -> impl Strategy<Value = FieldError> + Clone {
    ("(/[a-z_0-9~]{1,8}){0,3}", text())
        .prop_map(|(pointer, message)| FieldError { pointer, message })
}

/// Fields that belong to codes, any of them at once. See [`failure`] for those of one code.
pub fn details() -> impl Strategy<Value = Details> + Clone {
    (
        vec(field_error(), 0..3),
        option::of(run_id()),
        option::of(count()),
        option::of("[a-z_]{1,24}"),
        option::of(operation()),
        option::of(reason()),
        option::of(phase()),
        option::of(count()),
    )
        .prop_map(
            |(errors, run, limit_bytes, limit, operation, reason, phase, retry)| Details {
                errors,
                active_run_id: run,
                limit_bytes,
                limit,
                operation: operation.map(|operation| operation.as_str().to_owned()),
                reason,
                phase,
                retry_after_ms: retry,
            },
        )
}

/// A failure with the fields that belong to its code, and no others.
pub fn failure() -> impl Strategy<Value = Failure> + Clone {
    let origins = &[Origin::Backend, Origin::Link, Origin::Runtime][..];
    let effects = &[Effect::None, Effect::Unknown][..];
    (
        code(),
        option::of(select(origins)),
        select(effects),
        details(),
    )
        .prop_map(|(code, origin, effect, details)| Failure {
            code,
            origin,
            effect,
            details: Box::new(fitting(code, details)),
        })
}

fn fitting(code: Code, all: Details) -> Details {
    let of = |codes: &[Code]| codes.contains(&code);
    let requests = of(&[Code::InvalidRequest, Code::OperationUnsupported]);
    let reasons = of(&[Code::RuntimeUnreachable, Code::RuntimeUnavailable]);
    let operations = of(&[Code::OperationUnsupported, Code::OperationDenied]);
    let later = of(&[
        Code::RuntimeUnavailable,
        Code::Unavailable,
        Code::LimitReached,
    ]);
    Details {
        errors: if requests { all.errors } else { Vec::new() },
        active_run_id: all.active_run_id.filter(|_| of(&[Code::WorkerBusy])),
        limit_bytes: all.limit_bytes.filter(|_| of(&[Code::PayloadTooLarge])),
        limit: all.limit.filter(|_| of(&[Code::LimitReached])),
        operation: all.operation.filter(|_| operations),
        reason: all.reason.filter(|_| reasons),
        phase: all.phase.filter(|_| of(&[Code::RuntimeTimedOut])),
        retry_after_ms: all.retry_after_ms.filter(|_| later),
    }
}

/// A problem as either server would tell it: of any [`failure`], about anything, of any operation.
///
/// ```
/// use proptest::prelude::*;
/// use yoi_testkit::strategies::problem;
///
/// proptest!(|(problem in problem())| {
///     prop_assert_eq!(problem.status, problem.code.status());
///     prop_assert!(problem.problem_type.ends_with(problem.code.as_str()));
/// });
/// ```
pub fn problem() -> impl Strategy<Value = Problem> + Clone {
    let about = (
        option::of(runtime_id()),
        option::of(worker_id()),
        option::of(request_id()),
    );
    let servers = &[Origin::Backend, Origin::Runtime][..];
    (failure(), select(servers), about, option::of(operation())).prop_map(
        |(failure, me, (runtime_id, worker_id, request_id), operation)| {
            let about = Subject {
                runtime_id,
                worker_id,
                request_id,
            };
            failure.into_problem(me, &about, operation)
        },
    )
}
