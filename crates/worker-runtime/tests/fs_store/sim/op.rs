//! Operations, as they are recorded.

use std::io;

/// What is asked of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    List,
    Open,
    Create,
    Rename,
    Remove,
    SyncFolder,
    Lock,
    Size,
    Read,
    Write,
    SetSize,
    Allocate,
    Sync,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Op {
    /// Its place among all operations of the disk, from 0.
    pub(crate) index: usize,
    pub(crate) kind: Kind,
    /// The file by its latest name; empty for the folder.
    pub(crate) file: String,
    /// The name that a file is renamed to.
    pub(crate) to: Option<String>,
    /// Where it reads or writes.
    pub(crate) offset: u64,
    /// How much it reads or writes, or how long the file is to be.
    pub(crate) len: u64,
    /// How it failed, by plan or by itself.
    pub(crate) failed: Option<io::ErrorKind>,
}

impl Op {
    pub(super) fn new(kind: Kind, file: &str) -> Self {
        Self {
            index: 0,
            kind,
            file: file.to_owned(),
            to: None,
            offset: 0,
            len: 0,
            failed: None,
        }
    }

    pub(super) fn span(mut self, offset: u64, len: u64) -> Self {
        self.offset = offset;
        self.len = len;
        self
    }

    pub(super) fn to(mut self, name: &str) -> Self {
        self.to = Some(name.to_owned());
        self
    }
}
