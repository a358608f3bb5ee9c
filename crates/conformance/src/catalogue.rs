//! Checks by name, and how one is run.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};

use crate::report::{Checked, Outcome};
use crate::unmet::{Unmet, Verdict};

/// How long one check may take in all.
const LONGEST: Duration = Duration::from_secs(120);

/// One promise of the contract, and how it is looked at on a `T`.
///
/// ```
/// let names: Vec<&str> = yoi_conformance::semantics::checks()
///     .map(|check| check.name())
///     .collect();
/// assert!(names.contains(&"create.id_is_taken_once"));
/// ```
pub struct Check<T: 'static> {
    name: &'static str,
    promise: &'static str,
    run: for<'a> fn(&'a T) -> BoxFuture<'a, Verdict>,
}

impl<T> Check<T> {
    pub(crate) const fn new(
        name: &'static str,
        promise: &'static str,
        run: for<'a> fn(&'a T) -> BoxFuture<'a, Verdict>,
    ) -> Self {
        Self { name, promise, run }
    }

    /// Its name, `group.check`: stable, for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the contract promises.
    #[must_use]
    pub fn promise(&self) -> &'static str {
        self.promise
    }

    /// Looks whether the promise holds. What it made is not cleared away: that is for whoever
    /// runs checks.
    pub async fn run(&self, on: &T) -> Checked {
        let began = Instant::now();
        let outcome = match timeout(LONGEST, (self.run)(on)).await {
            Ok(Ok(())) => Outcome::Passed,
            Ok(Err(Unmet::Broken(detail))) => Outcome::Failed { detail },
            Ok(Err(Unmet::Skipped(reason))) => Outcome::Skipped { reason },
            Err(_elapsed) => Outcome::Failed {
                detail: format!("not done within {LONGEST:?}"),
            },
        };
        Checked {
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..self.with(outcome)
        }
    }

    /// The check with an outcome that needed no run.
    pub(crate) fn with(&self, outcome: Outcome) -> Checked {
        Checked {
            name: self.name.to_owned(),
            promise: self.promise.to_owned(),
            outcome,
            duration_ms: 0,
        }
    }
}

impl<T> fmt::Debug for Check<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// Lists the checks of a module: `function: "what is promised";`. A function that stands in no
/// list is dead code, which the compiler tells.
macro_rules! checks {
    ($on:ty, $group:literal; $($name:ident: $promise:literal;)+) => {
        pub(super) const CHECKS: &[$crate::Check<$on>] = &[$(
            $crate::Check::new(
                concat!($group, ".", stringify!($name)),
                $promise,
                |on| Box::pin($name(on)),
            ),
        )+];
    };
}

pub(crate) use checks;
