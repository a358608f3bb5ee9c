//! The store that survives its process: one log of all Workers in files.
//!
//! What was acknowledged is on the disk. All Workers share one log in the order in which their
//! records came, so that whoever commits at the same time shares one sync, and a commit costs the
//! same however many Workers there are and however long their past is.
//!
//! A folder holds
//!
//! - `STORE`: what store it is, of which Runtime, in which format;
//! - `HEAD`: how far the log certainly goes;
//! - `LOCK`: who has it, in words; what is locked is the folder itself;
//! - `0000000001.log` and so on, the segments of the log: lines of text, each with a checksum
//!   (`line.rs`), records first. Once a segment takes no more records it ends with an index of them
//!   and of how each Worker is at that point, so that a start reads the indexes and the records of
//!   the last segment only. Segments most of whose records are given up are made one, under a name
//!   with both numbers.
//!
//! A start finds everything that was acknowledged, or says what is missing or damaged, where, and
//! what is good before and after it; it never serves what was not written. What was cut off by the
//! end of the process, and never acknowledged, is cut and said.

mod active;
mod choose;
mod compact;
pub mod disk;
mod error;
mod export;
mod footer;
mod gather;
mod head;
mod identity;
mod index;
mod keeper;
mod line;
mod name;
mod open;
mod options;
mod queue;
mod read;
mod readers;
mod record;
pub mod repair;
mod retain;
mod salvage;
mod scan;
mod scrub;
mod segment;
mod segments;
mod shared;
mod start;
mod table;
mod tally;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use tokio::sync::oneshot;
use yoi_protocol::{Diagnostic, RuntimeId, Severity, Timestamp};

pub use error::OpenError;
pub use export::{Exported, export, export_from};
pub use options::{FsOptions, Maintenance, Retention};
pub use salvage::Flaw;

use disk::{Disk, Held, OsDisk};
use identity::Identity;
use line::Kind;
use queue::{What, Write};
use read::{By, Fault};
use readers::Readers;
use record::{decode, encode, encode_dropped};
use scrub::Scrub;
use segment::Unreadable;
use shared::Shared;
use writer::Writer;

use crate::fold::WorkerState;
use crate::store::{
    Condition, EntryPage, EventPage, KeyRecord, LogId, Range, Record, Store, StoreError,
};

/// The store in a folder. Dropping it writes what waits, closes the files and gives the folder
/// free.
pub struct FsStore {
    shared: Arc<Shared>,
    readers: Readers,
    threads: Vec<JoinHandle<()>>,
    /// Dropped, it ends who looks after the store.
    stop: Option<mpsc::Sender<()>>,
    _lock: Held,
}

impl FsStore {
    /// Opens the store in the folder at `path`, or makes one there. Reads the indexes of its
    /// segments and the records of the last one, so it may take a moment.
    ///
    /// # Errors
    /// [`OpenError`], which says what is wrong with what is there. No record that was acknowledged
    /// is changed; what was left half made, or stands twice, is taken away.
    pub fn open(path: &Path, options: FsOptions) -> Result<Self, OpenError> {
        let disk = OsDisk::create(path).map_err(OpenError::io("opening it"))?;
        Self::open_on(Arc::new(disk), options)
    }

    /// The same on another file layer.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_on(disk: Arc<dyn Disk>, options: FsOptions) -> Result<Self, OpenError> {
        let opened = open::open(&*disk, &options)?;
        let parts = (opened.index, opened.answers, opened.head);
        let shared = Arc::new(Shared::new(disk, opened.identity, options, parts));
        if let Some((file, offset, bytes)) = opened.cut {
            tracing::warn!(
                file,
                offset,
                bytes,
                "a tail that was never acknowledged is cut"
            );
            shared.tell(
                Severity::Warning,
                "tail_cut",
                format!(
                    "the last {bytes} bytes of {file}, from offset {offset} on, were not whole and \
                     are cut; nothing that was acknowledged is missing"
                ),
            );
        }
        {
            let index = shared.index();
            tracing::info!(
                runtime_id = %shared.identity.runtime,
                workers = index.logs.len(),
                segments = index.sealed.len() + usize::from(opened.active.is_some()),
                records = opened.lsn,
                "the store is open"
            );
        }
        let writer = Writer::new(
            Arc::clone(&shared),
            opened.active,
            opened.last_segment,
            opened.lsn,
        );
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            let builder = thread::Builder::new().name(name.to_owned());
            builder
                .spawn(work)
                .map_err(OpenError::io("starting a thread"))
        };
        let mut threads = vec![spawn("yoi-store", Box::new(move || writer.run()))?];
        let (stop, stopped) = mpsc::channel();
        if shared.options.maintenance == Maintenance::Background {
            let shared = Arc::clone(&shared);
            let keep = move || keeper::keep(&shared, &stopped);
            threads.push(spawn("yoi-store-keep", Box::new(keep))?);
        }
        let readers = Readers::start().map_err(OpenError::io("starting a thread"))?;
        Ok(Self {
            shared,
            readers,
            threads,
            stop: Some(stop),
            _lock: opened.lock,
        })
    }

    /// The Runtime whose store is in the folder at `path`; `None` when there is no store.
    ///
    /// # Errors
    /// [`OpenError`]: there is one that cannot be read.
    pub fn owner(path: &Path) -> Result<Option<RuntimeId>, OpenError> {
        let disk = match OsDisk::open(path) {
            Ok(disk) => disk,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OpenError::io("opening it")(error)),
        };
        Ok(Identity::read(&disk)?.map(|identity| identity.runtime))
    }

    /// Looks after the store once: gives up what its retention does not keep, and takes it off
    /// the disk. With [`Maintenance::Background`] that happens by itself.
    pub async fn maintain(&self) {
        let shared = Arc::clone(&self.shared);
        let maintain = move || {
            shared.sync_head("syncing the mark");
            keeper::look_for_files(&shared);
            keeper::tidy(&shared);
        };
        // What went wrong is in its condition and its diagnostics.
        if self.readers.run(maintain).await.is_none() {
            self.shared.unattended();
        }
    }

    /// Reads everything that the store keeps again, and says whether it is as it was written: what
    /// is not is in the diagnostics and in the log, with file and offset.
    pub async fn scrub(&self) -> Condition {
        let shared = Arc::clone(&self.shared);
        let read = move || {
            let mut scrub = Scrub::default();
            while !keeper::scrub_step(&shared, &mut scrub) {}
        };
        let _ = self.readers.run(read).await;
        self.condition()
    }

    async fn write(&self, what: What, json: Option<Vec<u8>>) -> Result<(), StoreError> {
        let (reply, done) = oneshot::channel();
        let json = json.ok_or(StoreError::Refused("it cannot be written as JSON"))?;
        let write = Write { what, json, reply };
        if self.shared.queue.push(write).is_err() {
            return Err(CLOSED);
        }
        done.await.unwrap_or_else(|_| {
            self.shared.abandon();
            Err(StoreError::Uncertain(
                "it ended before it said that it keeps it",
            ))
        })
    }

    /// Reads on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.readers.run(read).await {
            Some(Ok(read)) => Ok(read),
            Some(Err(Fault { file, what })) => Err(self.shared.damage(&file, &what)),
            None => Err(StoreError::Refused("a read was not finished")),
        }
    }
}

const CLOSED: StoreError = StoreError::Refused("it is closed");

impl Drop for FsStore {
    fn drop(&mut self) {
        self.shared.close();
        self.stop = None;
        for thread in self.threads.drain(..) {
            // What it panicked with is on standard error.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for FsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FsStore")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for FsStore {
    fn kind(&self) -> &'static str {
        "fs"
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.shared.diagnostics()
    }

    fn condition(&self) -> Condition {
        self.shared.condition()
    }

    async fn recover(
        &self,
        take: &mut (dyn FnMut(LogId, Arc<WorkerState>) + Send),
    ) -> Result<(), StoreError> {
        for (log, known) in &self.shared.index().logs {
            take(log.clone(), Arc::clone(&known.state));
        }
        Ok(())
    }

    async fn commit(&self, record: Record, after: Arc<WorkerState>) -> Result<(), StoreError> {
        if record.events.is_empty() && record.keys.is_empty() {
            return self.write(What::Nothing, Some(Vec::new())).await;
        }
        let json = encode(&record);
        self.write(What::Record { record, after }, json).await
    }

    async fn events(&self, log: &LogId, range: Range) -> Result<EventPage, StoreError> {
        let Some(plan) = self.shared.index().plan(log, By::Seq, range)? else {
            return Ok(EventPage {
                first_seq: 1,
                events: Vec::new(),
            });
        };
        self.read(move || plan.events(range)).await
    }

    async fn entries(&self, log: &LogId, range: Range) -> Result<EntryPage, StoreError> {
        let Some(plan) = self.shared.index().plan(log, By::Sequence, range)? else {
            return Ok(EntryPage {
                first_sequence: 1,
                entries: Vec::new(),
            });
        };
        self.read(move || plan.entries(range)).await
    }

    async fn answer(&self, key: &[u8; 32]) -> Result<Option<KeyRecord>, StoreError> {
        let Some((segment, offset)) = self.shared.place(key)? else {
            return Ok(None);
        };
        let key = *key;
        self.read(move || {
            let read = || {
                let bytes = segment.bytes_from(offset)?;
                let line = segment.line(&bytes, offset, Kind::Record)?;
                let record = decode(line.json).ok_or(Unreadable::Damaged { offset })?;
                let found = record.keys.into_iter().find(|one| one.key == key);
                found.ok_or(Unreadable::Damaged { offset })
            };
            read().map(Some).map_err(read::fault(&segment))
        })
        .await
    }

    fn expire_answers(&self, before: Timestamp) -> u64 {
        self.shared.expire_answers(before)
    }

    async fn forget(&self, log: &LogId) -> Result<(), StoreError> {
        if !self.shared.index().logs.contains_key(log) {
            return Ok(());
        }
        let json = encode_dropped(log);
        self.write(What::Drop(log.clone()), json).await
    }
}
