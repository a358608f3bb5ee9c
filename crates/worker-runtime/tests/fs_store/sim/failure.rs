//! How an operation fails.

use std::io;

use super::{Kind, Loss};

/// How an operation fails: nothing of it is done, unless something else is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure {
    error: Error,
    pub(super) effect: Effect,
}

#[derive(Debug, Clone, Copy)]
enum Error {
    Kind(io::ErrorKind),
    Os(i32),
}

/// What is done of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    Whole,
    First(usize),
    Losing(Loss),
}

impl Failure {
    pub(crate) fn error(kind: io::ErrorKind) -> Self {
        Self {
            error: Error::Kind(kind),
            effect: Effect::Nothing,
        }
    }

    /// With an error number of the operating system.
    pub(crate) fn os(code: i32) -> Self {
        Self {
            error: Error::Os(code),
            effect: Effect::Nothing,
        }
    }

    /// All of it is done, though it is said to have failed.
    pub(crate) fn done(mut self) -> Self {
        self.effect = Effect::Whole;
        self
    }

    /// The first bytes of the write are written.
    pub(crate) fn short(mut self, written: usize) -> Self {
        self.effect = Effect::First(written);
        self
    }

    /// The sync takes what was not synced for synced, though `loss` never reaches the disk: it is
    /// still read, and later syncs succeed.
    pub(crate) fn losing(mut self, loss: Loss) -> Self {
        self.effect = Effect::Losing(loss);
        self
    }

    pub(super) fn into_error(self) -> io::Error {
        match self.error {
            Error::Kind(kind) => kind.into(),
            Error::Os(code) => io::Error::from_raw_os_error(code),
        }
    }

    pub(super) fn fits(self, kind: Kind) -> bool {
        match self.effect {
            Effect::Nothing | Effect::Whole => true,
            Effect::First(_) => kind == Kind::Write,
            Effect::Losing(_) => matches!(kind, Kind::Sync | Kind::SyncFolder),
        }
    }
}

impl Effect {
    /// What is written of `bytes`.
    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        match self {
            Self::First(written) => &bytes[..written.min(bytes.len())],
            _ => bytes,
        }
    }

    /// What a sync does not bring to the disk.
    pub(super) fn loss(self) -> Loss {
        match self {
            Self::Losing(loss) => loss,
            _ => Loss::Nothing,
        }
    }
}
