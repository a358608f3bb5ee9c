//! A Runtime served on a real socket, and ways to ask it.

mod answer;
mod documented;
mod held;
mod kept;
mod served;

pub(crate) use answer::Answer;
pub(crate) use held::Hold;
pub(crate) use kept::repeatable;
pub(crate) use served::Served;

use std::time::Duration;

/// The longest that a test waits for anything.
pub(crate) const WAIT: Duration = Duration::from_secs(20);
