//! Why a check did not pass.

use std::fmt::{Debug, Display};

use yoi_protocol::{Code, Details, Effect, Failure, StreamEnd};

/// What a check comes to.
pub type Verdict = Result<(), Unmet>;

/// Why a check did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// The promise does not hold: what was seen, and what was promised.
    Broken(String),
    /// The promise does not hold, as far as was waited for: what did not come in time.
    Late(String),
    /// It could not be looked at, and why.
    Skipped(String),
}

pub(crate) fn broken(detail: impl Into<String>) -> Unmet {
    Unmet::Broken(detail.into())
}

pub(crate) fn late(detail: impl Into<String>) -> Unmet {
    Unmet::Late(detail.into())
}

/// What was answered with this failure, where something else was promised. Who has room for
/// little breaks no promise.
fn otherwise(failure: &Failure, detail: String) -> Unmet {
    match (failure.code, failure.details.limit.as_deref()) {
        (Code::RuntimeTimedOut, _) => Unmet::Late(detail),
        (Code::LimitReached, Some(limit)) => too_low(limit).unwrap_or(Unmet::Broken(detail)),
        _ => Unmet::Broken(detail),
    }
}

/// A limit that the checks themselves may reach.
pub(crate) fn too_low(limit: &str) -> Option<Unmet> {
    ["max_workers", "max_idempotency_keys"]
        .contains(&limit)
        .then(|| skipped(format!("the limit {limit} is too low to check this")))
}

pub(crate) fn skipped(reason: impl Into<String>) -> Unmet {
    Unmet::Skipped(reason.into())
}

/// Holds the check to a condition.
pub(crate) fn holds(condition: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if condition {
        Ok(())
    } else {
        Err(broken(otherwise()))
    }
}

/// Holds two values to be the same.
pub(crate) fn same<A, B>(what: &str, found: A, expected: B) -> Verdict
where
    A: PartialEq<B> + Debug,
    B: Debug,
{
    holds(found == expected, || {
        format!("{what} is {found:?}, not {expected:?}")
    })
}

/// What came where a success was promised.
pub(crate) fn unexpected(asked: impl Display, failure: &Failure) -> Unmet {
    let detail = format!(
        "{asked} failed with {}: {failure} {}",
        failure.code,
        details(failure)
    );
    otherwise(failure, detail)
}

fn details(failure: &Failure) -> String {
    serde_json::to_string(&failure.details).unwrap_or_default()
}

/// Holds an answer to be the refusal that was promised.
pub(crate) fn refused<T>(
    asked: impl Display,
    answer: Result<T, Failure>,
    code: Code,
) -> Result<Failure, Unmet> {
    match answer {
        Err(failure) if failure.code == code => Ok(failure),
        Err(failure) => Err(otherwise(
            &failure,
            format!("{asked} was refused with {}, not with {code}", failure.code),
        )),
        Ok(_) => Err(broken(format!("{asked} succeeded, and must be {code}"))),
    }
}

/// The same for a command, which must also say that it changed nothing.
pub(crate) fn refused_without_effect<T>(
    asked: impl Display,
    answer: Result<T, Failure>,
    code: Code,
) -> Result<Failure, Unmet> {
    let failure = refused(&asked, answer, code)?;
    holds(failure.effect == Effect::None, || {
        format!("{asked} was refused with {code}, but does not say effect none")
    })?;
    Ok(failure)
}

/// Holds a refusal to name this field, and no other.
pub(crate) fn at_field(failure: &Failure, pointer: &str) -> Verdict {
    names_alone(&failure.details, pointer, "the request")
}

/// The same for the fields of any refusal.
pub(crate) fn names_alone(details: &Details, pointer: &str, of: &str) -> Verdict {
    let named: Vec<&str> = details.errors.iter().map(|one| &*one.pointer).collect();
    let is_named = !named.is_empty() && named.iter().all(|one| *one == pointer);
    holds(is_named, || {
        format!("the fields at fault in {of} are {named:?}, not {pointer:?}")
    })
}

/// How a stream ended, in words.
pub(crate) fn ending(end: &StreamEnd) -> String {
    match end {
        StreamEnd::Complete => "it is complete".to_owned(),
        StreamEnd::Failed(failure) => format!("{}: {failure}", failure.code),
        StreamEnd::SlowConsumer => "slow_consumer".to_owned(),
        StreamEnd::Draining => "draining".to_owned(),
        StreamEnd::ObservationOnly => "observation_only".to_owned(),
    }
}
