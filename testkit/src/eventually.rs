//! Waiting for a condition instead of sleeping.

use std::fmt::Debug;
use std::panic::Location;
use std::time::{Duration, Instant};

use crate::patience::{PATIENCE, pass, within};

/// How long between two looks.
const BETWEEN: Duration = Duration::from_millis(5);

/// Looks until `look` answers `Ok`, for at most 20 seconds, and gives what it answered.
///
/// `look` says in `Err` what it saw instead, which is shown when the time is over. The time is that
/// of the machine, also where the test has paused its own.
///
/// # Panics
/// When the condition does not come true, with `what`, the last state, and the caller's place.
///
/// ```
/// use yoi_testkit::eventually;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut looks = 0;
/// let seen = eventually("the third look", async || {
///     looks += 1;
///     if looks == 3 { Ok(looks) } else { Err(format!("look {looks}")) }
/// })
/// .await;
/// assert_eq!(seen, 3);
/// # }
/// ```
#[track_caller]
pub fn eventually<T, S: Debug>(
    what: &str,
    look: impl AsyncFnMut() -> Result<T, S>,
) -> impl Future<Output = T> {
    eventually_within(PATIENCE, what, look)
}

/// The same with another patience, for what must come true soon, or must take long.
///
/// # Panics
/// As [`eventually`].
///
/// ```
/// use std::time::Duration;
/// use yoi_testkit::eventually_within;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let begun = tokio::time::Instant::now();
/// eventually_within(Duration::from_secs(60), "20 ms are over", async || {
///     let since = begun.elapsed();
///     if since.as_millis() >= 20 { Ok(()) } else { Err(since) }
/// })
/// .await;
/// # }
/// ```
#[track_caller]
pub fn eventually_within<T, S: Debug>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, S>,
) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let began = Instant::now();
        let mut last = None;
        loop {
            match within(patience.saturating_sub(began.elapsed()), look()).await {
                Ok(Ok(seen)) => return seen,
                Ok(Err(state)) => last = Some(state),
                Err(_elapsed) => {}
            }
            if began.elapsed() >= patience {
                let state = match &last {
                    Some(state) => format!("last seen: {state:#?}"),
                    None => "not one look came to an end".to_owned(),
                };
                panic!("{what}: not within {patience:?} (waited for at {caller})\n{state}");
            }
            pass(BETWEEN).await;
        }
    }
}
