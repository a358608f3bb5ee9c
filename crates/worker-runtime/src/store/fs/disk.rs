//! The file layer: all that the store asks of a disk, so that tests can put another one under it.

mod os;

use std::any::Any;
use std::fmt;
use std::io;

pub use os::OsDisk;

/// The files of one folder, by their plain names.
///
/// What is created, renamed or removed lasts once [`sync_folder`](Self::sync_folder) has returned,
/// and what is written to a file once its [`sync`](DiskFile::sync) has; until then a power loss may
/// keep any part of it. No error names a folder.
pub trait Disk: fmt::Debug + Send + Sync {
    /// The names of the files that are there, in no order.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens a file that is there, to read and to write.
    ///
    /// # Errors
    /// `NotFound`, or why else it cannot be opened.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Makes an empty file of a name that is not taken.
    ///
    /// # Errors
    /// `AlreadyExists`, `StorageFull`, or why else it cannot be made.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, in one step; who had that name is gone.
    ///
    /// # Errors
    /// Both names are as they were.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a name away. Who has the file open can go on reading it.
    ///
    /// # Errors
    /// The file is still there.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes what was created, renamed and removed last.
    ///
    /// # Errors
    /// Any part of it may last, or not.
    fn sync_folder(&self) -> io::Result<()>;

    /// Takes the folder for this process, exclusively; the file `name` then holds the text `holder`,
    /// as far as it can be written. The lock ends when what is returned is dropped, or the process
    /// ends however it does.
    ///
    /// # Errors
    /// The lock cannot be asked for. Somebody else having it is no error but [`Lock::Busy`].
    fn lock(&self, name: &str, holder: &str) -> io::Result<Lock>;
}

/// One open file.
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// How many bytes it has.
    ///
    /// # Errors
    /// It cannot be asked.
    fn size(&self) -> io::Result<u64>;

    /// Reads from `offset` on until `bytes` is full or the file ends, and says how many were read.
    ///
    /// # Errors
    /// What could not be read.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`; the file grows where it ends before that.
    ///
    /// # Errors
    /// Any part of it may be written. `StorageFull` where there is no room.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes the file so long: cut, or filled up with zeros.
    ///
    /// # Errors
    /// It may be as it was, or not.
    fn set_size(&self, size: u64) -> io::Result<()>;

    /// Makes the file at least so long, filled up with zeros, and takes the room for it: writing
    /// there does not fail for want of it.
    ///
    /// # Errors
    /// `StorageFull` where there is no room.
    fn allocate(&self, size: u64) -> io::Result<()>;

    /// Makes what was written, and the length, last.
    ///
    /// # Errors
    /// Any part of what was written since the last one may last, or not, whatever a later call
    /// says.
    fn sync(&self) -> io::Result<()>;
}

/// Who has a folder.
#[derive(Debug)]
pub enum Lock {
    /// This process, until the value is dropped.
    Taken(Held),
    /// Somebody else, who left this text.
    Busy(String),
}

/// A lock that is held until this is dropped.
pub struct Held(#[expect(dead_code, reason = "held to be dropped")] Box<dyn Any + Send + Sync>);

impl Held {
    /// Holds what ends the lock when it is dropped.
    pub fn new(lock: impl Any + Send + Sync) -> Self {
        Self(Box::new(lock))
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}
