//! Checks by name, and how one is run.

use std::fmt;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};

use crate::bench::Bench;
use crate::report::{Checked, Outcome};
use crate::unmet::{Unmet, Verdict, broken, late, skipped};

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
    pub async fn run(&self, on: &T) -> Checked
    where
        T: AsRef<Bench>,
    {
        self.look(on).await.0
    }

    /// The same, and whether it failed because something did not come in time.
    pub(crate) async fn look(&self, on: &T) -> (Checked, bool)
    where
        T: AsRef<Bench>,
    {
        let bench = on.as_ref();
        bench.lacked();
        let began = Instant::now();
        let (longest, is_cut) = bench.longest();
        let verdict = match timeout(longest, whole((self.run)(on))).await {
            Ok(verdict) => verdict,
            Err(_elapsed) if is_cut => Err(skipped(
                "the time for all checks together ended while it was made",
            )),
            Err(_elapsed) => Err(late(format!("not done within {longest:?}"))),
        };
        let is_late = matches!(verdict, Err(Unmet::Late(_)));
        let outcome = match (verdict, bench.lacked()) {
            (Ok(()), _) => Outcome::Passed,
            (Err(Unmet::Skipped(reason)), _) => Outcome::Skipped { reason },
            (Err(Unmet::Broken(_) | Unmet::Late(_)), Some(operation)) => Outcome::Skipped {
                reason: format!("the runtime does not list {operation}"),
            },
            (Err(Unmet::Broken(detail) | Unmet::Late(detail)), None) => Outcome::Failed {
                detail: bench.scrub().line(&detail),
            },
        };
        let checked = Checked {
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..self.with(outcome)
        };
        (checked, is_late)
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

/// A check to its end, also if it panics: the report of all others is not lost for that.
async fn whole(check: BoxFuture<'_, Verdict>) -> Verdict {
    let caught = AssertUnwindSafe(check).catch_unwind().await;
    caught.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("it does not say why");
        Err(broken(format!("the check itself panicked: {text}")))
    })
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
