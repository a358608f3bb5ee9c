//! Faults inside a Runtime.

use worker_runtime::StoreError;

use crate::Reads;

/// What is done to the insides of a Runtime.
pub(crate) enum Malady {
    /// Writes fail so.
    Writes(StoreError),
    /// Writes do not return.
    WritesHang,
    /// Reads go so.
    Reads(Reads),
    /// There is no place left.
    Full(Fill),
    /// The clock is off by so many milliseconds.
    Clock(i64),
    /// It is told to shut down.
    Drains,
}

/// What is to be full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    Workers,
    Runs,
    Streams,
    Keys,
}

/// How far a clock is off.
const HOUR_MS: i64 = 60 * 60 * 1000;

pub(super) fn store_refuses() -> Malady {
    Malady::Writes(StoreError::Refused("the disk is full"))
}

pub(super) fn store_uncertain() -> Malady {
    Malady::Writes(StoreError::Uncertain("fsync failed"))
}

pub(super) fn write_hangs() -> Malady {
    Malady::WritesHang
}

pub(super) fn read_fails() -> Malady {
    let error = StoreError::Damaged("it cannot be read".to_owned());
    Malady::Reads(Reads::Fail(error))
}

pub(super) fn read_hangs() -> Malady {
    Malady::Reads(Reads::Hang)
}

pub(super) fn workers_at_limit() -> Malady {
    Malady::Full(Fill::Workers)
}

pub(super) fn runs_at_limit() -> Malady {
    Malady::Full(Fill::Runs)
}

pub(super) fn streams_at_limit() -> Malady {
    Malady::Full(Fill::Streams)
}

pub(super) fn keys_at_limit() -> Malady {
    Malady::Full(Fill::Keys)
}

pub(super) fn clock_steps_back() -> Malady {
    Malady::Clock(-HOUR_MS)
}

pub(super) fn clock_leaps_ahead() -> Malady {
    Malady::Clock(HOUR_MS)
}

pub(super) fn runtime_drains() -> Malady {
    Malady::Drains
}
