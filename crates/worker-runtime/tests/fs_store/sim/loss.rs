//! What is not durable, and what a power loss leaves of it.

use std::fmt;

use fastrand::Rng;

use super::SimDisk;
use super::content::Change;
use super::state::{Inode, Names, State};

/// Which pieces of what is not durable are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    Nothing,
    Everything,
    /// By a coin for each, which this seed makes fair or bent.
    Seed(u64),
    /// All but those whose bit is set.
    AllBut(u64),
}

/// What reaches the disk as a whole or not at all.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Folder(Renaming),
    File(Inode, Change),
}

/// A change of names.
#[derive(Debug, Clone)]
pub(super) enum Renaming {
    Create(String, Inode),
    Rename(String, String, Inode),
    Remove(String),
}

impl SimDisk {
    /// What is not durable, piece by piece, as it came.
    pub(crate) fn pieces(&self) -> Vec<String> {
        let state = self.shared().state.restarted();
        let show = |piece: &Piece| match piece {
            Piece::Folder(renaming) => renaming.to_string(),
            Piece::File(inode, change) => format!("{}: {change}", state.file(*inode).name),
        };
        state.pieces.iter().map(show).collect()
    }

    /// The disk after the power was lost, and came back: all that is left is durable.
    pub(crate) fn power_loss(&self, loss: Loss) -> Self {
        let mut state = self.shared().state.restarted();
        state.settle(|_| true, loss);
        state.names = state.durable_names.clone();
        for file in state.inodes.values_mut() {
            file.now = file.durable.clone();
        }
        for (name, inode) in state.names.clone() {
            state.file_mut(inode).name = name;
        }
        state.collect();
        Self::with(state)
    }

    /// The disk after each power loss that there can be; for a few pieces only.
    pub(crate) fn power_losses(&self) -> impl Iterator<Item = (Loss, Self)> + use<> {
        let pieces = self.pieces();
        assert!(pieces.len() <= 16, "too many to try all: {pieces:#?}");
        let disk = self.killed();
        let losses = (0..1 << pieces.len()).map(Loss::AllBut);
        losses.map(move |loss| (loss, disk.power_loss(loss)))
    }
}

impl State {
    /// Makes the pieces that match durable but for what is lost.
    pub(super) fn settle(&mut self, matches: impl Fn(&Piece) -> bool, loss: Loss) {
        let pieces = std::mem::take(&mut self.pieces);
        let (settled, left): (Vec<_>, Vec<_>) = pieces.into_iter().partition(matches);
        self.pieces = left;
        let kept = loss.kept(settled.len());
        for (piece, _) in settled.iter().zip(kept).filter(|(_, kept)| *kept) {
            match piece {
                Piece::Folder(renaming) => renaming.apply(&mut self.durable_names),
                Piece::File(inode, change) => self.file_mut(*inode).durable.apply(change),
            }
        }
    }
}

impl Loss {
    fn kept(self, pieces: usize) -> Vec<bool> {
        match self {
            Self::Nothing => vec![true; pieces],
            Self::Everything => vec![false; pieces],
            Self::Seed(seed) => {
                let mut rng = Rng::with_seed(seed);
                let kept_of_eight = [1, 4, 7][rng.usize(..3)];
                (0..pieces).map(|_| rng.u8(..8) < kept_of_eight).collect()
            }
            Self::AllBut(mask) => {
                assert!(pieces <= 64, "{pieces} pieces have no bit each");
                (0..pieces).map(|piece| mask >> piece & 1 == 1).collect()
            }
        }
    }
}

impl Piece {
    /// The file that it gives a name.
    pub(super) fn names(&self) -> Option<Inode> {
        match self {
            Self::Folder(Renaming::Create(_, inode) | Renaming::Rename(_, _, inode)) => {
                Some(*inode)
            }
            Self::Folder(Renaming::Remove(_)) | Self::File(..) => None,
        }
    }
}

impl Renaming {
    pub(super) fn apply(&self, names: &mut Names) {
        match self {
            Self::Create(name, inode) => {
                names.insert(name.clone(), *inode);
            }
            // The file may have another name than it should, when a change before was lost.
            Self::Rename(from, to, inode) => {
                names.retain(|name, named| name != from && named != inode);
                names.insert(to.clone(), *inode);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

impl fmt::Display for Renaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(name, _) => write!(f, "create {name}"),
            Self::Rename(from, to, _) => write!(f, "rename {from} to {to}"),
            Self::Remove(name) => write!(f, "remove {name}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grow(size) => write!(f, "grow to {size}"),
            Self::Size(size) => write!(f, "size {size}"),
            Self::Allocate(size) => write!(f, "allocate {size}"),
            Self::Sector { start, end, .. } => write!(f, "write {start}..{end}"),
        }
    }
}
