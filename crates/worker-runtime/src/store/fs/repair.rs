//! Making a store that can be opened again of what is good of one that cannot.
//!
//! What was acknowledged and is not there any more is lost, and said. A log that has lost something
//! in its middle keeps what is after it, where an index says how the Worker was there. One that has
//! lost its end goes on from before it under another life, so that no position that somebody
//! remembers ever stands for something else.

mod fold;
mod write;

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::Serialize;
use uuid::Uuid;
use yoi_protocol::{RuntimeId, Timestamp, WorkerId};

use super::disk::{Disk, OsDisk};
use super::error::OpenError;
use super::open::take;
use super::salvage::{Flaw, Salvage};
use fold::Fold;

/// What a repair finds, and what it keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repair {
    /// Whose store it is.
    pub runtime: RuntimeId,
    /// What is not what was written.
    pub flaws: Vec<Flaw>,
    /// Every Worker, by its id: what is kept of it, and what is not.
    pub workers: Vec<Kept>,
    /// How many answers to commands are kept: those of commands whose events are lost are not.
    pub answers: u64,
    /// Where the store is that was there before, once it is repaired: the name of a folder beside
    /// it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// What is kept of one Worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The Worker.
    pub worker_id: WorkerId,
    /// The first `seq` that is kept; one past the last when none is.
    pub first_seq: u64,
    /// The last; 0 when nothing is kept of it, and it is gone.
    pub last_seq: u64,
    /// The events that are not kept, from a `seq` to another: what is lost, and what cannot be kept
    /// since something after it is. What was given up by retention is among them.
    pub lost: Vec<(u64, u64)>,
    /// It goes on from `last_seq` under another life: cursors of before lead nowhere.
    pub is_another_life: bool,
}

impl Kept {
    /// Whether it has lost its end, or all.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_another_life || self.last_seq == 0
    }
}

impl Repair {
    /// Whether the store needs no repair.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.flaws.is_empty() && !self.workers.iter().any(Kept::is_cut)
    }
}

/// Says what a repair of the store at `path` would keep. Changes nothing but the words in `LOCK`.
///
/// # Errors
/// There is no store, it is of a newer version, or another process has it.
pub fn inspect(path: &Path) -> Result<Repair, OpenError> {
    let disk = OsDisk::open(path).map_err(absent)?;
    let found = inspect_on(&disk)?;
    let _lock = take(&disk)?;
    // What a process did meanwhile is not what is shown.
    if found.is_whole() {
        Ok(found)
    } else {
        inspect_on(&disk)
    }
}

/// The same on another file layer, without a lock.
///
/// # Errors
/// As [`inspect`].
pub fn inspect_on(disk: &dyn Disk) -> Result<Repair, OpenError> {
    let salvage = Salvage::new(disk)?;
    let fold = Fold::of(&salvage)?;
    Ok(fold.report(&salvage.identity))
}

/// Repairs the store at `path`: writes what is good into a new folder beside it and then changes
/// the two, so that the store of before is there as it was, under another name.
///
/// # Errors
/// As [`inspect`], and what cannot be written. The store is as it was.
pub fn repair(path: &Path) -> Result<Repair, OpenError> {
    // Where it really is, and not what leads there.
    let path = &fs::canonicalize(path).map_err(absent)?;
    let disk = OsDisk::open(path).map_err(absent)?;
    Salvage::new(&disk)?;
    let _lock = take(&disk)?;
    let beside = |what: &str| -> PathBuf {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(what);
        path.with_file_name(name)
    };
    let at = Timestamp::now().as_unix_ms();
    let (new, before) = (
        beside(&format!(".repaired-{at}")),
        beside(&format!(".before-{at}")),
    );
    let repaired = repair_onto(&disk, &OsDisk::create(&new).map_err(making)?);
    let repaired = repaired.and_then(|repaired| {
        hand_over(path, &new).map_err(OpenError::io("giving it to its owner"))?;
        Ok(repaired)
    });
    let mut repaired = match repaired {
        Ok(repaired) => repaired,
        Err(error) => {
            // It counts for nothing; what is left of it can be removed by hand.
            let _ = fs::remove_dir_all(&new);
            return Err(error);
        }
    };
    let before = match exchange(path, &new, &before) {
        Ok(before) => before,
        Err(error) => {
            // The store still has its name, so this is the other one.
            let _ = fs::remove_dir_all(&new);
            return Err(OpenError::io(
                "renaming it (where it is mounted, copy it to a folder that can be renamed, and \
                 repair that)",
            )(error));
        }
    };
    // Syncs the folder that has them both.
    OsDisk::create(path).map_err(making)?;
    repaired.before = before
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    Ok(repaired)
}

/// Writes what is good of one store into an empty folder, as another.
///
/// # Errors
/// As [`repair`].
pub fn repair_onto(disk: &dyn Disk, new: &dyn Disk) -> Result<Repair, OpenError> {
    let salvage = Salvage::new(disk)?;
    let fold = Fold::of(&salvage)?;
    write::write(&fold, &salvage, new)?;
    Ok(fold.report(&salvage.identity))
}

/// Gives the new folder the name of the old one, and the old one another, so that at no moment
/// nothing has it. Says which the old one has now: when it cannot have `before` it keeps that of the
/// new one, and is repaired nevertheless.
fn exchange(path: &Path, new: &Path, before: &Path) -> std::io::Result<PathBuf> {
    match renameat_with(CWD, new, CWD, path, RenameFlags::EXCHANGE) {
        Ok(()) => {
            let name = fs::rename(new, before).map_or(new, |()| before);
            Ok(name.to_owned())
        }
        // A file system that cannot: one after the other, and back if need be.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            one_after_the_other(path, new, before)
        }
        Err(error) => Err(error.into()),
    }
}

fn one_after_the_other(path: &Path, new: &Path, before: &Path) -> std::io::Result<PathBuf> {
    fs::rename(path, before)?;
    fs::rename(new, path).inspect_err(|_| {
        // What cannot be undone is told as what it is: both folders are there.
        let _ = fs::rename(before, path);
    })?;
    Ok(before.to_owned())
}

/// Gives what was made to whom the store belongs, where somebody else repairs it.
fn hand_over(path: &Path, new: &Path) -> std::io::Result<()> {
    let (theirs, ours) = (fs::metadata(path)?, fs::metadata(new)?);
    if (theirs.uid(), theirs.gid()) == (ours.uid(), ours.gid()) {
        return Ok(());
    }
    let (uid, gid) = (Some(theirs.uid()), Some(theirs.gid()));
    for entry in fs::read_dir(new)? {
        chown(entry?.path(), uid, gid)?;
    }
    chown(new, uid, gid)
}

fn making(error: std::io::Error) -> OpenError {
    OpenError::io("making the repaired store")(error)
}

fn absent(error: std::io::Error) -> OpenError {
    match error.kind() {
        std::io::ErrorKind::NotFound => OpenError::Absent,
        _ => OpenError::io("opening it")(error),
    }
}

#[cfg(test)]
mod tests;

/// The life of a log that goes on from before what it lost.
fn another_life() -> Uuid {
    Uuid::now_v7()
}
