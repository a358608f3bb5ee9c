//! The folder.

use std::io::{self, Read as _};

use worker_runtime::store::fs::disk::{Disk, DiskFile, Held, Lock};

use super::content::Content;
use super::file::SimFile;
use super::loss::{Piece, Renaming};
use super::state::{Inode, State};
use super::{Kind, Op, SimDisk};

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.run(
            |_| Op::new(Kind::List, ""),
            |state, _| Ok(state.names.keys().cloned().collect()),
        )
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.run(
            |_| Op::new(Kind::Open, name),
            |state, _| {
                let inode = state.inode(name)?;
                Ok(SimFile::boxed(self, state, inode))
            },
        )
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.run(
            |_| Op::new(Kind::Create, name),
            |state, _| {
                if state.names.contains_key(name) {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                let inode = state.create(name)?;
                Ok(SimFile::boxed(self, state, inode))
            },
        )
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.run(
            |_| Op::new(Kind::Rename, from).to(to),
            |state, _| {
                let inode = state.inode(from)?;
                state.file_mut(inode).name = to.to_owned();
                state.rename(Renaming::Rename(from.to_owned(), to.to_owned(), inode));
                Ok(())
            },
        )
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.run(
            |_| Op::new(Kind::Remove, name),
            |state, _| {
                state.inode(name)?;
                state.rename(Renaming::Remove(name.to_owned()));
                Ok(())
            },
        )
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.run(
            |_| Op::new(Kind::SyncFolder, ""),
            |state, effect| {
                state.settle(|piece| matches!(piece, Piece::Folder(_)), effect.loss());
                state.collect();
                Ok(())
            },
        )
    }

    fn lock(&self, name: &str, holder: &str) -> io::Result<Lock> {
        self.run(
            |_| Op::new(Kind::Lock, name),
            |state, _| {
                let inode = state.inode(name).or_else(|_| state.create(name))?;
                if state.file(inode).locked {
                    return Ok(Lock::Busy(told(&state.file(inode).now.bytes)));
                }
                // Durable at once: nobody asks for the text after a power loss.
                state.settle_file(inode);
                state.file_mut(inode).now = Content::default();
                state.file_mut(inode).durable = Content::default();
                state.write(inode, holder.as_bytes(), 0)?;
                state.settle_file(inode);
                state.file_mut(inode).locked = true;
                let file = SimFile::new(self, state, inode);
                Ok(Lock::Taken(Held::new(HeldLock(file))))
            },
        )
    }
}

impl State {
    fn create(&mut self, name: &str) -> io::Result<Inode> {
        self.room_for(1)?;
        let inode = self.add(name, Content::default());
        self.rename(Renaming::Create(name.to_owned(), inode));
        Ok(inode)
    }

    fn rename(&mut self, renaming: Renaming) {
        renaming.apply(&mut self.names);
        self.pieces.push(Piece::Folder(renaming));
    }
}

fn told(bytes: &[u8]) -> String {
    let mut text = String::new();
    let _ = bytes.take(1024).read_to_string(&mut text);
    text.trim().to_owned()
}

struct HeldLock(SimFile);

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.0.unlock();
    }
}
