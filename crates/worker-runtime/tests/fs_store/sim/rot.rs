//! Damage, on a disk in use as well: whoever reads on reads it.
//!
//! It outlives a power loss, so the file that it hits is durable from then on; and when a file is
//! taken away, all names are.

use std::collections::BTreeMap;

use super::content::{Change, Content, index};
use super::loss::{Piece, Renaming};
use super::state::State;
use super::{Loss, SimDisk};

impl SimDisk {
    /// A disk with these files.
    pub(crate) fn from_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        let mut state = State::default();
        for (name, bytes) in files {
            let inode = state.add(&name, Content::from(bytes));
            state.names.insert(name, inode);
        }
        state.durable_names = state.names.clone();
        Self::with(state)
    }

    /// Another disk with the same files, all of it durable.
    pub(crate) fn deep_clone(&self) -> Self {
        Self::from_files(self.files())
    }

    /// Flips a bit of the byte at `offset`.
    pub(crate) fn flip(&self, name: &str, offset: u64, bit: u8) {
        self.rot(name, |content| content.bytes[index(offset)] ^= 1 << bit);
    }

    /// Writes over what is there; the file grows where it ends before that.
    pub(crate) fn overwrite(&self, name: &str, offset: u64, bytes: &[u8]) {
        self.rot(name, |content| {
            content.apply(&Change::Grow(offset + bytes.len() as u64));
            for change in content.written(bytes, offset) {
                content.apply(&change);
            }
        });
    }

    /// Makes the file so long.
    pub(crate) fn cut(&self, name: &str, size: u64) {
        self.rot(name, |content| content.apply(&Change::Size(size)));
    }

    /// Takes the file away.
    pub(crate) fn delete(&self, name: &str) {
        let mut shared = self.shared();
        shared.state.inode(name).unwrap();
        let removal = Renaming::Remove(name.to_owned());
        removal.apply(&mut shared.state.names);
        shared
            .state
            .settle(|piece| matches!(piece, Piece::Folder(_)), Loss::Nothing);
        removal.apply(&mut shared.state.durable_names);
        shared.state.collect();
    }

    fn rot(&self, name: &str, damage: impl Fn(&mut Content)) {
        let mut shared = self.shared();
        let inode = shared.state.inode(name).unwrap();
        shared.state.settle_file(inode);
        let file = shared.state.file_mut(inode);
        damage(&mut file.now);
        file.durable = file.now.clone();
    }
}
