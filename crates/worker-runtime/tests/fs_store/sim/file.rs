//! A file that is open.

use std::fmt;
use std::io;

use worker_runtime::store::fs::disk::DiskFile;

use super::content::{Change, index};
use super::failure::Effect;
use super::loss::Piece;
use super::state::{Inode, State};
use super::{Kind, Loss, Op, SimDisk};

pub(super) struct SimFile {
    disk: SimDisk,
    inode: Inode,
}

impl SimFile {
    pub(super) fn new(disk: &SimDisk, state: &mut State, inode: Inode) -> Self {
        state.file_mut(inode).open += 1;
        Self {
            disk: disk.clone(),
            inode,
        }
    }

    pub(super) fn boxed(disk: &SimDisk, state: &mut State, inode: Inode) -> Box<dyn DiskFile> {
        Box::new(Self::new(disk, state, inode))
    }

    pub(super) fn unlock(&self) {
        self.disk.shared().state.file_mut(self.inode).locked = false;
    }

    fn run<T>(
        &self,
        kind: Kind,
        offset: u64,
        len: u64,
        act: impl FnOnce(&mut State, Effect) -> io::Result<T>,
    ) -> io::Result<T> {
        let describe =
            |state: &State| Op::new(kind, &state.file(self.inode).name).span(offset, len);
        self.disk.run(describe, act)
    }
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        self.run(Kind::Size, 0, 0, |state, _| {
            Ok(state.file(self.inode).now.len())
        })
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.run(Kind::Read, offset, bytes.len() as u64, |state, _| {
            let content = &state.file(self.inode).now;
            let there = &content.bytes[index(offset.min(content.len()))..];
            let read = there.len().min(bytes.len());
            bytes[..read].copy_from_slice(&there[..read]);
            Ok(read)
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.run(Kind::Write, offset, bytes.len() as u64, |state, effect| {
            state.write(self.inode, effect.of(bytes), offset)
        })
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.run(Kind::SetSize, 0, size, |state, _| {
            state.change(self.inode, Change::Size(size));
            Ok(())
        })
    }

    /// Takes no room in a file that is long enough, as a file system need not.
    fn allocate(&self, size: u64) -> io::Result<()> {
        self.run(Kind::Allocate, 0, size, |state, _| {
            let content = &state.file(self.inode).now;
            if content.len() >= size {
                return Ok(());
            }
            state.room_for(content.missing(size))?;
            state.change(self.inode, Change::Allocate(size));
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.run(Kind::Sync, 0, 0, |state, effect| {
            state.settle(|piece| piece.changes(self.inode), effect.loss());
            Ok(())
        })
    }
}

impl State {
    pub(super) fn settle_file(&mut self, inode: Inode) {
        self.settle(|piece| piece.changes(inode), Loss::Nothing);
    }
}

impl Piece {
    fn changes(&self, file: Inode) -> bool {
        matches!(self, Self::File(inode, _) if *inode == file)
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut shared = self.disk.shared();
        shared.state.file_mut(self.inode).open -= 1;
        shared.state.collect();
    }
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimFile")
    }
}
