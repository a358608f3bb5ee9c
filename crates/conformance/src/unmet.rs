//! Why a check did not pass.

use std::fmt::{Debug, Display};

use yoi_protocol::{Code, Effect, Failure, StreamEnd};

/// What a check comes to.
pub type Verdict = Result<(), Unmet>;

/// Why a check did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// The promise does not hold: what was seen, and what was promised.
    Broken(String),
    /// It could not be looked at, and why.
    Skipped(String),
}

/// The most of a foreign text that is repeated, in characters.
const MOST: usize = 400;

/// The beginning of a text, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    let flat: String = text
        .chars()
        .take(MOST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(MOST).is_some() {
        format!("{flat}…")
    } else {
        flat
    }
}

pub(crate) fn broken(detail: impl Into<String>) -> Unmet {
    Unmet::Broken(excerpt(&detail.into()))
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
    broken(format!(
        "{asked} failed with {}: {failure} {}",
        failure.code,
        details(failure)
    ))
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
        Err(failure) => Err(broken(format!(
            "{asked} was refused with {}, not with {code}",
            failure.code
        ))),
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

/// Holds a refusal to name this field, and only this.
pub(crate) fn at_field(failure: &Failure, pointer: &str) -> Verdict {
    let named: Vec<&str> = failure
        .details
        .errors
        .iter()
        .map(|error| error.pointer.as_str())
        .collect();
    same("the fields that are named", named, vec![pointer])
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
