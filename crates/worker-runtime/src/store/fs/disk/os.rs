//! The real thing: a folder of the operating system.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, fallocate};

use super::{Disk, DiskFile, Held, Lock};

/// What a Worker was told is nobody else's: files for the owner alone.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;
/// How long a lock is waited for.
const LINGER: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A folder of the operating system. Shows no path.
pub struct OsDisk {
    path: PathBuf,
    /// Opened once, so that it can be synced when nothing else can be opened any more.
    folder: File,
}

impl OsDisk {
    /// The folder at `path`, made when it is not there: for its owner alone, and so that it lasts.
    ///
    /// # Errors
    /// It cannot be made or opened, or is no folder.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path.exists() && !path.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        if !path.is_dir() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(FOLDER_MODE)
                .create(path)?;
        }
        // Also when it was there: who made it may not have come to this. Each lasts once the one
        // above it is synced; those further up belong to somebody else, who may not let us.
        for above in path.ancestors().skip(1) {
            let is_here = above.as_os_str().is_empty();
            let above = if is_here { Path::new(".") } else { above };
            let synced = File::open(above).and_then(|folder| folder.sync_all());
            if synced.is_err() {
                break;
            }
        }
        Self::open(path)
    }

    /// The folder at `path`, which must be there.
    ///
    /// # Errors
    /// It is not there, cannot be opened, or is no folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = File::open(path)?;
        if !folder.metadata()?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self {
            path: path.to_owned(),
            folder,
        })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl fmt::Debug for OsDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OsDisk")
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(FILE_MODE);
    options
}

impl Disk for OsDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            // A name that is no text is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let opened = options().open(self.at(name));
        let file = match opened.as_ref().map_err(io::Error::kind) {
            // What cannot be written can perhaps be read: writing it says why it cannot.
            Err(why @ (io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)) => {
                OsFile {
                    file: File::open(self.at(name))?,
                    only_read: Some(why),
                }
            }
            _ => OsFile::from(opened?),
        };
        Ok(Box::new(file))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = options().create_new(true).open(self.at(name))?;
        Ok(Box::new(OsFile::from(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.at(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.folder.sync_all()
    }

    fn lock(&self, name: &str, holder: &str) -> io::Result<Lock> {
        // The folder itself, which nobody takes for something that was left over.
        let folder = File::open(&self.path)?;
        match lock_soon(&folder) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Who has it may be writing it: whatever is there is told.
                let told = File::open(self.at(name));
                let _ = told.and_then(|file| file.take(1024).read_to_string(&mut text));
                return Ok(Lock::Busy(text.trim().to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Who has it is a courtesy: a full disk, or one that is only read, keeps nobody from it.
        let told = options().create(true).truncate(true).open(self.at(name));
        let _ = told.and_then(|mut file| file.write_all(holder.as_bytes()));
        Ok(Lock::Taken(Held::new(folder)))
    }
}

/// Locks a file, if need be in a moment: a process that was killed while it started a program has
/// its files until that program has begun.
fn lock_soon(file: &File) -> Result<(), TryLockError> {
    let deadline = Instant::now() + LINGER;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                thread::park_timeout(LOOK_EVERY);
            }
            tried => return tried,
        }
    }
}

struct OsFile {
    file: File,
    /// Why it can only be read.
    only_read: Option<io::ErrorKind>,
}

impl From<File> for OsFile {
    fn from(file: File) -> Self {
        Self {
            file,
            only_read: None,
        }
    }
}

impl OsFile {
    /// The file, to be changed.
    fn writable(&self) -> io::Result<&File> {
        match self.only_read {
            Some(why) => Err(why.into()),
            None => Ok(&self.file),
        }
    }
}

/// Shows no path, as that of the file itself would.
impl fmt::Debug for OsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OsFile")
    }
}

impl DiskFile for OsFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < bytes.len() {
            match self.file.read_at(&mut bytes[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.writable()?.write_all_at(bytes, offset)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.writable()?.set_len(size)
    }

    fn allocate(&self, size: u64) -> io::Result<()> {
        if size == 0 {
            return Ok(());
        }
        loop {
            match fallocate(self.writable()?, FallocateFlags::empty(), 0, size) {
                Ok(()) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                // A file system that cannot: it is as long, and may still run out of room.
                Err(rustix::io::Errno::OPNOTSUPP) => return self.set_size(size.max(self.size()?)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
