//! Why a store cannot be opened, in the words that its operator needs.

use std::io;

use yoi_protocol::RuntimeId;

use super::segment::{Segment, Unreadable};

/// Why a store cannot be opened. Names files of the store, and never its folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The folder, or a file in it, cannot be used: it is not a folder, may not be written, is
    /// full.
    #[error("the store's folder cannot be used: {doing}: {kind}")]
    Unusable {
        /// What was tried.
        doing: &'static str,
        /// What the operating system says.
        kind: io::ErrorKind,
    },
    /// Another process has it.
    #[error("the store is in use by {holder}; end that process first, or choose another folder")]
    Busy {
        /// Who, as it says of itself.
        holder: String,
    },
    /// This process has it already.
    #[error("another runtime of this process has the store: each needs a folder of its own")]
    Ours,
    /// A newer version wrote it.
    #[error(
        "the store has format {found}, and this version reads formats up to {known}: use the \
         version that wrote it, or a later one"
    )]
    Newer {
        /// Its format.
        found: u32,
        /// The latest that is known here.
        known: u32,
    },
    /// It is the store of another Runtime.
    #[error(
        "the store belongs to runtime {theirs}, not to {ours}: start the runtime under that id, or \
         choose another folder"
    )]
    OtherRuntime {
        /// Whose it is.
        theirs: RuntimeId,
        /// Who asked.
        ours: RuntimeId,
    },
    /// There is no store.
    #[error("there is no store in that folder")]
    Absent,
    /// What is there is not what was written, and good records follow, or were acknowledged.
    #[error(
        "{file} is damaged at offset {offset}: {what}{} (`yoi repair FOLDER` shows what can be kept)",
        good_around(*before, *after)
    )]
    Damaged {
        /// The file.
        file: String,
        /// Where in the file the first bad byte is looked for.
        offset: u64,
        /// What was expected there.
        what: &'static str,
        /// How many lines of that file are good before it.
        before: u64,
        /// How many lines of that file are good after it.
        after: u64,
    },
    /// A file is not there.
    #[error("{file} is missing (`yoi repair FOLDER` shows what can be kept)")]
    Missing {
        /// Its name.
        file: String,
    },
    /// The log ends before what was acknowledged.
    #[error(
        "the log ends at offset {offset} of {file}, and {records} records that were acknowledged \
         are missing after it (`yoi repair FOLDER` shows what can be kept)"
    )]
    Lost {
        /// The last file.
        file: String,
        /// Where it ends.
        offset: u64,
        /// How many records are known to be missing.
        records: u64,
    },
    /// What is kept does not add up to a Worker.
    #[error("the log of worker {worker_id} does not add up: {rule}")]
    Inconsistent {
        /// Whose log.
        worker_id: String,
        /// What does not hold.
        rule: &'static str,
    },
}

/// What else is good in the file, where it is one of many lines.
fn good_around(before: u64, after: u64) -> String {
    match (before, after) {
        (0, 0) => String::new(),
        (before, after) => {
            format!("; {before} lines before it are good, and {after} after it")
        }
    }
}

/// What is done with a segment most of the time.
pub(super) const READING: &str = "reading a segment";

impl OpenError {
    /// Of an operation on the disk, by what was tried.
    pub(super) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Unusable {
            doing,
            kind: error.kind(),
        }
    }

    /// Of a segment that cannot be read, or whose index is not whole.
    pub(super) fn of_segment(segment: &Segment, fault: &Unreadable) -> Self {
        match fault {
            Unreadable::Io(error) => Self::Unusable {
                doing: READING,
                kind: error.kind(),
            },
            Unreadable::Damaged { offset } => {
                Self::in_segment(segment, *offset, "the index of the segment is not whole")
            }
        }
    }

    /// Damage in a segment, with what is good around it.
    pub(super) fn in_segment(segment: &Segment, offset: u64, what: &'static str) -> Self {
        let (before, after) = segment.good_around(offset);
        Self::Damaged {
            file: segment.name.to_string(),
            offset,
            what,
            before,
            after,
        }
    }

    pub(super) fn damaged(file: impl ToString, offset: u64, what: &'static str) -> Self {
        Self::Damaged {
            file: file.to_string(),
            offset,
            what,
            before: 0,
            after: 0,
        }
    }
}
