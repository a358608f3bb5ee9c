//! The one thread that writes the log: takes all that waits, writes it in one go, syncs once, and
//! only then tells anybody.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use yoi_protocol::Timestamp;

use super::active::{Active, NotMade};
use super::head::Mark;
use super::line::Line;
use super::queue::{Company, Go, What, Write};
use super::shared::{Place, Shared};
use crate::store::StoreError;

/// What a line has beside its JSON, at most.
const LINE_BYTES: usize = 48;
/// What the header of a segment takes, at most.
const HEADER_BYTES: u64 = 4096;

/// How long to wait for company: a part of what writing takes, and no more than nobody notices.
const PATIENCE_SHARE: u32 = 4;
const MOST_PATIENCE: Duration = Duration::from_micros(500);

/// The writer's own.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    active: Option<Active>,
    /// The last number that a segment has.
    last_segment: u32,
    /// The last number that a record has.
    lsn: u64,
}

/// Why a go was not written.
#[derive(Debug, Clone, Copy)]
struct Fault {
    error: StoreErrorKind,
    why: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum StoreErrorKind {
    Refused,
    Uncertain,
}

impl Fault {
    fn to_error(self) -> StoreError {
        match self.error {
            StoreErrorKind::Refused => StoreError::Refused(self.why),
            StoreErrorKind::Uncertain => StoreError::Uncertain(self.why),
        }
    }

    fn refused(error: &io::Error) -> Self {
        Self {
            error: StoreErrorKind::Refused,
            why: if is_full(error) {
                DISK_FULL
            } else {
                "the disk refused a write"
            },
        }
    }
}

/// Whether it is for want of room, on the disk or for its owner.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

const DISK_FULL: &str = "the disk is full";
const FAILED_BEFORE: Fault = Fault {
    error: StoreErrorKind::Refused,
    why: "it failed before, and takes no more records",
};
const UNCERTAIN: Fault = Fault {
    error: StoreErrorKind::Uncertain,
    why: "the disk did not say that it keeps it",
};

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        active: Option<Active>,
        last_segment: u32,
        lsn: u64,
    ) -> Self {
        Self {
            shared,
            active,
            last_segment,
            lsn,
        }
    }

    /// Writes what is committed, until the store is closed.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut company = Company::default();
        while let Some(Go {
            writes,
            seal_before,
        }) = shared.queue.next(company)
        {
            if !writes.is_empty() {
                let count = writes.len();
                let began = Instant::now();
                self.take(writes);
                company = Company {
                    count,
                    patience: (began.elapsed() / PATIENCE_SHARE).min(MOST_PATIENCE),
                };
            }
            if let Some(before) = seal_before {
                self.seal_if_before(before);
            }
        }
        shared.sync_head("closing");
    }

    fn take(&mut self, writes: Vec<Write>) {
        match self.write(&writes) {
            Ok(places) => {
                self.shared.set_full(false);
                self.publish(writes, &places);
            }
            Err(fault) => {
                self.shared.set_full(fault.why == DISK_FULL);
                for write in writes {
                    // Whoever gave up waiting does not hear it.
                    let _ = write.reply.send(Err(fault.to_error()));
                }
            }
        }
    }

    fn seal_if_before(&mut self, before: Timestamp) {
        let is_old = self
            .active
            .as_ref()
            .is_some_and(|active| active.tally.times.is_some_and(|(first, _)| first < before));
        if is_old
            && !self.shared.has_failed()
            && let Err(fault) = self.seal()
        {
            tracing::warn!(why = fault.why, "a segment is not sealed yet");
        }
    }

    /// Puts lines on the disk, all or none; gives their offsets and sizes.
    fn write(&mut self, writes: &[Write]) -> Result<Vec<(u32, u32)>, Fault> {
        if self.shared.has_failed() {
            return Err(FAILED_BEFORE);
        }
        if writes.iter().all(|write| write.what.kind().is_none()) {
            return Ok(vec![(0, 0); writes.len()]);
        }
        let most: usize = writes
            .iter()
            .map(|write| write.json.len() + LINE_BYTES)
            .sum();
        self.make_room(most as u64)?;
        let Some(active) = &mut self.active else {
            return Err(FAILED_BEFORE);
        };
        let mut out = Vec::with_capacity(most);
        let mut places = Vec::with_capacity(writes.len());
        let mut index = 0;
        for write in writes {
            let start = out.len();
            let Some(kind) = write.what.kind() else {
                places.push((0, 0));
                continue;
            };
            let line = Line {
                kind,
                lsn: self.lsn + 1 + u64::from(index),
                index,
                json: &write.json,
            };
            index += 1;
            line.write(active.segment.salt, &mut out);
            let offset = active.end + start as u64;
            places.push((offset as u32, (out.len() - start) as u32));
        }
        let file = &active.segment.file;
        if let Err(error) = file.write_at(&out, active.end) {
            return Err(self.undo(&error));
        }
        if let Err(error) = file.sync() {
            self.shared.fail("syncing the log", &error);
            return Err(UNCERTAIN);
        }
        active.end += out.len() as u64;
        self.lsn += u64::from(index);
        Ok(places)
    }

    /// Takes back what was written in part, so that nobody ever finds it; a store that cannot does
    /// not know what it keeps.
    fn undo(&mut self, error: &io::Error) -> Fault {
        let Some(active) = &mut self.active else {
            return FAILED_BEFORE;
        };
        let file = &active.segment.file;
        let undone = file.set_size(active.end).and_then(|()| file.sync());
        active.allocated = active.end;
        match undone {
            Ok(()) => Fault::refused(error),
            Err(error) => {
                self.shared.fail("undoing a write", &error);
                UNCERTAIN
            }
        }
    }

    /// Sees to it that `bytes` can be written to the active segment.
    fn make_room(&mut self, bytes: u64) -> Result<(), Fault> {
        let segment_bytes = self.shared.options.segment_bytes;
        if self
            .active
            .as_ref()
            .is_some_and(|active| active.tally.records > 0 && active.end + bytes > segment_bytes)
        {
            self.seal()?;
        }
        let Some(active) = &mut self.active else {
            return self.begin_segment(bytes);
        };
        let needed = active.end + bytes;
        if needed > active.allocated {
            let wanted = needed.max(segment_bytes);
            let file = &active.segment.file;
            active.allocated = match file.allocate(wanted) {
                Ok(()) => wanted,
                // Not for all of it, but perhaps for this.
                Err(error) if is_full(&error) => {
                    file.allocate(needed)
                        .map_err(|error| Fault::refused(&error))?;
                    needed
                }
                Err(error) => return Err(Fault::refused(&error)),
            };
        }
        Ok(())
    }

    fn begin_segment(&mut self, bytes: u64) -> Result<(), Fault> {
        let shared = &self.shared;
        let create = |room| {
            let (number, lsn) = (self.last_segment + 1, self.lsn + 1);
            Active::create(&*shared.disk, &shared.identity, number, lsn, room)
        };
        let needed = bytes + HEADER_BYTES;
        let made = match create(shared.options.segment_bytes.max(needed)) {
            // Not room for all of it, but perhaps for this.
            Err(NotMade::Refused(error)) if is_full(&error) => create(needed),
            made => made,
        };
        match made {
            Ok(active) => {
                self.last_segment += 1;
                shared.index_mut().active = Some(Arc::clone(&active.segment));
                self.active = Some(active);
                Ok(())
            }
            Err(NotMade::Refused(error)) => Err(Fault::refused(&error)),
            Err(NotMade::Unsynced(error)) => {
                shared.fail("beginning a segment", &error);
                Err(Fault {
                    why: "the disk did not keep a new segment",
                    ..FAILED_BEFORE
                })
            }
        }
    }

    /// Ends the active segment with its index.
    fn seal(&mut self) -> Result<(), Fault> {
        let Some(active) = &mut self.active else {
            return Ok(());
        };
        let shared = &self.shared;
        let ending = active.ending(&shared.index(), self.lsn);
        let file = &active.segment.file;
        let written = file
            .write_at(&ending.bytes, active.end)
            .and_then(|()| file.set_size(ending.sealed.size));
        if let Err(error) = written {
            return Err(self.undo(&error));
        }
        if let Err(error) = file.sync() {
            shared.fail("sealing a segment", &error);
            return Err(Fault {
                why: "the disk did not keep the index of a segment",
                ..FAILED_BEFORE
            });
        }
        shared.index_mut().seal(ending.sealed, ending.places);
        self.active = None;
        Ok(())
    }

    /// Makes lines that last known: to who reads, to the next start, and to who waits.
    fn publish(&mut self, writes: Vec<Write>, places: &[(u32, u32)]) {
        let shared = Arc::clone(&self.shared);
        let Some(active) = &mut self.active else {
            // There is no line among them, and nothing was before them.
            for write in writes {
                let _ = write.reply.send(Ok(()));
            }
            return;
        };
        let segment = active.segment.name.last;
        let mut replies = Vec::with_capacity(writes.len());
        let mut answers = Vec::new();
        {
            let mut index = shared.index_mut();
            for (write, (offset, size)) in writes.into_iter().zip(places) {
                match write.what {
                    What::Record { record, after } => {
                        active.tally.count(&record, *offset);
                        if index.add(&record, after, (*offset, *size), &shared.options.retention) {
                            active.touched.push(record.log.clone());
                        }
                        let offset = *offset;
                        let place = Place { segment, offset };
                        answers.extend(record.keys.iter().map(|key| (key.key, key.at, place)));
                    }
                    What::Drop(log) => {
                        active.tally.count_dropped();
                        let begun = index.logs.remove(&log).map(|known| known.begun);
                        active.dropped.push((log, begun));
                    }
                    What::Nothing => {}
                }
                replies.push(write.reply);
            }
        }
        for (key, at, place) in answers {
            shared.remember(key, at, place);
        }
        self.mark();
        for reply in replies {
            // Whoever gave up waiting does not hear it.
            let _ = reply.send(Ok(()));
        }
    }

    /// Writes down how far the log certainly goes.
    fn mark(&self) {
        let mut head = self.shared.head();
        let mark = Mark {
            lsn: self.lsn,
            answers_from: self.shared.answers_from(),
            ..head.mark
        };
        if let Err(error) = head.write(mark) {
            drop(head);
            self.shared.fail("marking the end of the log", &error);
        }
    }
}

/// Also when it panics: nobody waits for a writer that is gone.
impl Drop for Writer {
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.abandon();
        }
    }
}
