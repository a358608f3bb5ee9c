//! The ways in which an operation fails.

use std::io::ErrorKind;

use crate::power::has_time;
use crate::sim::{Failure, Kind, Loss, Op};

/// A way in which an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing is done.
    Io,
    /// It is done, and said to have failed.
    Done,
    /// There is no room.
    Full,
    /// So many bytes are written.
    Short(usize),
    /// And then there is no room.
    FullAfter(usize),
    /// So much of what was not synced never reaches the disk.
    Sync(Loss),
}

impl Way {
    pub(super) fn failure(self) -> Failure {
        let (io, full) = (Failure::os(5), Failure::error(ErrorKind::StorageFull));
        match self {
            Self::Io => io,
            Self::Done => io.done(),
            Self::Full => full,
            Self::Short(written) => io.short(written),
            Self::FullAfter(written) => full.short(written),
            Self::Sync(loss) => io.losing(loss),
        }
    }

    pub(super) fn is_sync(self) -> bool {
        matches!(self, Self::Sync(_))
    }

    pub(super) fn is_full(self) -> bool {
        matches!(self, Self::Full | Self::FullAfter(_))
    }
}

/// The ways in which this one can fail, in turn; all of them when there is time. What a sync did not
/// bring to the disk is always lost once.
pub(super) fn ways(op: &Op) -> Vec<Way> {
    let mut ways = all(op);
    if has_time() {
        return ways;
    }
    let first = ways.remove(0);
    let turn = ways.get(op.index % (ways.len() + 1)).copied();
    match (first, turn) {
        (Way::Sync(_), other) => [first].into_iter().chain(other).collect(),
        (first, other) => vec![other.unwrap_or(first)],
    }
}

fn all(op: &Op) -> Vec<Way> {
    match op.kind {
        Kind::Sync | Kind::SyncFolder => {
            let seed = Loss::Seed(op.index as u64);
            [Loss::Everything, Loss::Nothing, seed]
                .map(Way::Sync)
                .into()
        }
        Kind::Write => {
            let half = op.len as usize / 2;
            let mut ways = vec![Way::Io, Way::Done, Way::Short(half)];
            // It has its room from the start.
            if op.file != "HEAD" {
                ways.push(Way::FullAfter(half));
            }
            ways
        }
        Kind::Create | Kind::Allocate => vec![Way::Io, Way::Full],
        Kind::SetSize => vec![Way::Io, Way::Done],
        Kind::Rename
        | Kind::Remove
        | Kind::List
        | Kind::Open
        | Kind::Lock
        | Kind::Size
        | Kind::Read => vec![Way::Io],
    }
}
