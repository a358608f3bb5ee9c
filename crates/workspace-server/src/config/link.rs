//! How a remote Runtime is asked: the tables `retry`, `circuit` and `bulkhead` of `[[runtimes]]`.

use std::time::Duration;

use serde::Deserialize;
use yoi_client::{RetryBudget, RetryPolicy};

use super::plan::MAX_TIMEOUT_MS;
use crate::backoff::Backoff;
use crate::handle::{BulkheadSettings, CircuitSettings};

/// How often a call is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RetryConfig {
    /// The most attempts of one call, the first included.
    pub max_attempts: u32,
    /// How many of them there may be beyond the first, for a hundred calls.
    pub budget_percent: u32,
    /// And so many a second, whatever the number of calls.
    pub budget_per_second: u32,
}

/// When a Runtime is left alone for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CircuitConfig {
    /// After how many calls in a row that found nobody.
    pub failures: u32,
    /// For how long at first, in milliseconds.
    pub pause_ms: u64,
    /// For how long at most, in milliseconds; no shorter than `pause_ms` when absent.
    pub max_pause_ms: Option<u64>,
}

/// How many calls there may be at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct BulkheadConfig {
    /// Under way.
    pub max_calls: usize,
    /// Waiting to be.
    pub max_waiting: usize,
}

impl Default for RetryConfig {
    fn default() -> Self {
        let RetryPolicy {
            max_attempts,
            budget,
            ..
        } = RetryPolicy::default();
        Self {
            max_attempts,
            budget_percent: budget.percent,
            budget_per_second: budget.per_second,
        }
    }
}

impl Default for CircuitConfig {
    fn default() -> Self {
        let CircuitSettings { failures, pause } = CircuitSettings::default();
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            failures,
            pause_ms: ms(pause.base),
            max_pause_ms: None,
        }
    }
}

impl Default for BulkheadConfig {
    fn default() -> Self {
        let BulkheadSettings {
            max_calls,
            max_waiting,
        } = BulkheadSettings::default();
        Self {
            max_calls,
            max_waiting,
        }
    }
}

/// What is wrong: the key below the table, and what it must be.
pub(super) type Wrong = (&'static str, &'static str);

impl RetryConfig {
    pub(super) fn wrong(&self) -> Option<Wrong> {
        if !(1..=100).contains(&self.max_attempts) {
            return Some(("max_attempts", "must be from 1 (never again) to 100"));
        }
        if self.budget_percent > 1_000 {
            return Some(("budget_percent", "must be from 0 to 1000"));
        }
        if self.budget_per_second > 1_000_000 {
            return Some(("budget_per_second", "must be from 0 to 1000000"));
        }
        None
    }

    pub(super) fn policy(&self) -> RetryPolicy {
        RetryPolicy {
            max_attempts: self.max_attempts,
            budget: RetryBudget {
                percent: self.budget_percent,
                per_second: self.budget_per_second,
            },
            ..RetryPolicy::default()
        }
    }
}

impl CircuitConfig {
    pub(super) fn wrong(&self) -> Option<Wrong> {
        if self.failures == 0 {
            return Some(("failures", "must be at least 1"));
        }
        if !(1..=MAX_TIMEOUT_MS).contains(&self.pause_ms) {
            return Some(("pause_ms", "must be from 1 to 86400000: a day"));
        }
        let max_pause_ms = self.max_pause_ms.unwrap_or(self.pause_ms);
        if !(self.pause_ms..=MAX_TIMEOUT_MS).contains(&max_pause_ms) {
            return Some(("max_pause_ms", "must be from pause_ms to 86400000: a day"));
        }
        None
    }

    pub(super) fn settings(&self) -> CircuitSettings {
        let base = Duration::from_millis(self.pause_ms);
        let max = match self.max_pause_ms {
            Some(ms) => Duration::from_millis(ms),
            None => base.max(CircuitSettings::default().pause.max),
        };
        CircuitSettings {
            failures: self.failures,
            pause: Backoff { base, max },
        }
    }
}

impl BulkheadConfig {
    /// More than any machine has sockets.
    const MAX: usize = 1_000_000;

    pub(super) fn wrong(&self) -> Option<Wrong> {
        if !(1..=Self::MAX).contains(&self.max_calls) {
            return Some(("max_calls", "must be from 1 to 1000000"));
        }
        if self.max_waiting > Self::MAX {
            return Some(("max_waiting", "must be from 0 to 1000000"));
        }
        None
    }

    pub(super) fn settings(&self) -> BulkheadSettings {
        BulkheadSettings {
            max_calls: self.max_calls,
            max_waiting: self.max_waiting,
        }
    }
}
