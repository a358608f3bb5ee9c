//! What a disk holds: what is read, what is durable, and what lies between.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::SECTOR;
use super::content::{Change, Content};
use super::loss::Piece;

/// A file, whatever its name.
pub(super) type Inode = u64;

pub(super) type Names = BTreeMap<String, Inode>;

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) inodes: BTreeMap<Inode, File>,
    pub(super) names: Names,
    pub(super) durable_names: Names,
    /// What is read and not durable, as it came.
    pub(super) pieces: Vec<Piece>,
    pub(super) capacity: Option<u64>,
    next: Inode,
}

#[derive(Debug, Clone, Default)]
pub(super) struct File {
    /// The latest one.
    pub(super) name: String,
    pub(super) now: Content,
    pub(super) durable: Content,
    /// How many handles and locks have it.
    pub(super) open: usize,
    pub(super) locked: bool,
}

impl State {
    pub(super) fn inode(&self, name: &str) -> io::Result<Inode> {
        let inode = self.names.get(name).copied();
        inode.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn file(&self, inode: Inode) -> &File {
        &self.inodes[&inode]
    }

    pub(super) fn file_mut(&mut self, inode: Inode) -> &mut File {
        self.inodes.get_mut(&inode).expect("kept while it is open")
    }

    /// A file that nobody names yet.
    pub(super) fn add(&mut self, name: &str, content: Content) -> Inode {
        self.next += 1;
        let file = File {
            name: name.to_owned(),
            now: content.clone(),
            durable: content,
            ..File::default()
        };
        self.inodes.insert(self.next, file);
        self.next
    }

    /// How many bytes the files take that somebody names or has open.
    pub(super) fn used(&self) -> u64 {
        let named: BTreeSet<_> = self.names.values().collect();
        let taking = self
            .inodes
            .iter()
            .filter(|(inode, file)| file.open > 0 || named.contains(inode));
        taking
            .map(|(_, file)| SECTOR * (1 + file.now.sectors()))
            .sum()
    }

    /// How many sectors are free.
    pub(super) fn free(&self) -> u64 {
        let free = |capacity: u64| capacity.saturating_sub(self.used()) / SECTOR;
        self.capacity.map_or(u64::MAX, free)
    }

    pub(super) fn room_for(&self, sectors: u64) -> io::Result<()> {
        if self.free() < sectors {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    /// Changes what is read of a file.
    pub(super) fn change(&mut self, inode: Inode, change: Change) {
        self.file_mut(inode).now.apply(&change);
        self.pieces.push(Piece::File(inode, change));
    }

    pub(super) fn write(&mut self, inode: Inode, bytes: &[u8], offset: u64) -> io::Result<()> {
        let fitting = self.file(inode).now.fitting(bytes, offset, self.free());
        if !fitting.is_empty() {
            let end = offset + fitting.len() as u64;
            if end > self.file(inode).now.len() {
                self.change(inode, Change::Grow(end));
            }
            for change in self.file(inode).now.written(fitting, offset) {
                self.change(inode, change);
            }
        }
        if fitting.len() < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    /// Forgets the files that nobody can reach any more, also after a power loss.
    pub(super) fn collect(&mut self) {
        let mut reached: BTreeSet<_> = self.names.values().copied().collect();
        reached.extend(self.durable_names.values());
        reached.extend(self.pieces.iter().filter_map(Piece::names));
        self.pieces.retain(|piece| match piece {
            Piece::File(inode, _) => reached.contains(inode),
            Piece::Folder(_) => true,
        });
        self.inodes
            .retain(|inode, file| file.open > 0 || reached.contains(inode));
    }

    /// As another process finds it, when this one is gone.
    pub(super) fn restarted(&self) -> Self {
        let mut state = self.clone();
        for file in state.inodes.values_mut() {
            file.open = 0;
            file.locked = false;
        }
        state.collect();
        state
    }

    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let bytes = |inode: &Inode| self.file(*inode).now.bytes.clone();
        let names = self.names.iter();
        names
            .map(|(name, inode)| (name.clone(), bytes(inode)))
            .collect()
    }
}
