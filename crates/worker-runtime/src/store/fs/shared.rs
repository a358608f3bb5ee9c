//! What the threads of a store share.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use yoi_protocol::{Diagnostic, Severity, Timestamp};

use super::disk::Disk;
use super::head::{Head, Mark};
use super::identity::Identity;
use super::index::Index;
use super::options::FsOptions;
use super::queue::Queue;
use super::segment::{Segment, Unreadable};
use crate::store::answers::Answers;
use crate::store::{Condition, StoreError};

/// Where an answer is: its segment's last number, and the offset of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) offset: u32,
}

/// What the threads of a store share.
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) identity: Identity,
    pub(super) options: FsOptions,
    pub(super) queue: Queue,
    index: RwLock<Index>,
    answers: Mutex<Answers<Place>>,
    head: Mutex<Head>,
    /// Answers that were given before are forgotten, in milliseconds; the least there is when none
    /// are.
    answers_from: AtomicI64,
    is_closing: AtomicBool,
    /// The last record that was to be written found no room.
    is_full: AtomicBool,
    /// Held by who looks after the store.
    pub(super) maintenance: Mutex<()>,
    condition: AtomicU8,
    /// The damage that was logged.
    said: Mutex<HashSet<String>>,
    /// What an operator should know, by code: the first of each is enough.
    found: Mutex<Vec<Diagnostic>>,
}

/// What cannot be: a place in a segment that is not there. Said, rather than nothing found.
pub(super) const NO_SEGMENT: StoreError = StoreError::Refused("a segment of it is not there");

/// How many places that are damaged are logged. Who has more knows enough.
const MOST_SAID: usize = 256;

const SOUND: u8 = 0;
const DAMAGED: u8 = 1;
const FAILED: u8 = 2;

impl Shared {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        identity: Identity,
        options: FsOptions,
        parts: (Index, Answers<Place>, Head),
    ) -> Self {
        let (index, answers, head) = parts;
        let answers_from = head.mark.answers_from;
        Self {
            answers_from: AtomicI64::new(answers_from.map_or(i64::MIN, Timestamp::as_unix_ms)),
            is_closing: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            maintenance: Mutex::default(),
            disk,
            identity,
            options,
            queue: Queue::default(),
            index: RwLock::new(index),
            answers: Mutex::new(answers),
            head: Mutex::new(head),
            condition: AtomicU8::new(SOUND),
            said: Mutex::default(),
            found: Mutex::default(),
        }
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answers(&self) -> MutexGuard<'_, Answers<Place>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the answer under a key is, if there is one. As whoever replaces segments: first the
    /// index, then the answers.
    pub(super) fn place(&self, key: &[u8; 32]) -> Result<Option<(Arc<Segment>, u64)>, StoreError> {
        let index = self.index();
        let Some(Place { segment, offset }) = self.answers().get(key).copied() else {
            return Ok(None);
        };
        // Never taken for a key that nobody used.
        let segment = index.segment(segment).ok_or(NO_SEGMENT)?;
        Ok(Some((segment, u64::from(offset))))
    }

    /// Whoever looks after the store stops at the next chance.
    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        self.queue.close();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    pub(super) fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the mark last.
    pub(super) fn sync_head(&self, doing: &'static str) {
        if self.has_failed() {
            return;
        }
        let file = self.head().unsynced();
        if let Some(file) = file
            && let Err(error) = file.sync()
        {
            self.fail(doing, &error);
        }
    }

    /// Writes down what is given up, so that it does not come back with the next start.
    pub(super) fn mark_given_up(&self, last: u32) {
        let mut head = self.head();
        let mark = Mark {
            given_up: last,
            ..head.mark
        };
        if let Err(error) = head.write(mark) {
            drop(head);
            self.fail("marking what is given up", &error);
        }
    }

    /// Since when answers are remembered; all of them where that is not said.
    pub(super) fn answers_from(&self) -> Option<Timestamp> {
        let from = self.answers_from.load(Ordering::Acquire);
        (from > i64::MIN).then(|| Timestamp::from_unix_ms(from))
    }

    /// Forgets answers that were given before; says how many are left.
    pub(super) fn expire_answers(&self, before: Timestamp) -> u64 {
        let before_ms = before.as_unix_ms();
        // Not the latest that there ever was: a clock that was ahead for a moment is believed no
        // longer than that.
        self.answers_from.store(before_ms, Ordering::Release);
        self.answers().expire(before)
    }

    /// Remembers an answer: a mark from when the clock was ahead does not let the next start
    /// forget it.
    pub(super) fn remember(&self, key: [u8; 32], at: Timestamp, place: Place) {
        self.answers().insert(key, at, place);
        self.answers_from
            .fetch_min(at.as_unix_ms(), Ordering::AcqRel);
    }

    pub(super) fn condition(&self) -> Condition {
        match self.condition.load(Ordering::Acquire) {
            SOUND => Condition::Sound,
            DAMAGED => Condition::Damaged,
            _ => Condition::Failed,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.condition() == Condition::Failed
    }

    /// Takes no more records for as long as this process lasts: what the disk keeps is not known
    /// any more.
    pub(super) fn fail(&self, doing: &'static str, error: &std::io::Error) {
        if self.condition.swap(FAILED, Ordering::AcqRel) == FAILED {
            return;
        }
        tracing::error!(runtime_id = %self.identity.runtime, doing, kind = %error.kind(),
            os_error = error.raw_os_error(), "the store takes no more records");
        self.tell(
            Severity::Error,
            "store_failed",
            format!(
                "the disk failed while {doing}: the store takes no more records; \
                 see to the disk and start the runtime again"
            ),
        );
    }

    /// The same where nobody writes any more, whyever that is; whoever waits learns of it.
    pub(super) fn abandon(&self) {
        let error = std::io::Error::other("nobody writes");
        self.fail("writing the log", &error);
        self.queue.abandon();
    }

    /// Says what a read came upon, and what it is to whoever asked.
    pub(super) fn damage(&self, file: &str, fault: &Unreadable) -> StoreError {
        let text = match fault {
            Unreadable::Io(error) => format!("{file} cannot be read: {}", error.kind()),
            Unreadable::Damaged { offset } => {
                format!("{file} is damaged at offset {offset}")
            }
        };
        // A store that has failed stays so: that is the worse of the two.
        let _ =
            self.condition
                .compare_exchange(SOUND, DAMAGED, Ordering::AcqRel, Ordering::Acquire);
        let runtime_id = &self.identity.runtime;
        if self.is_news(&text) {
            tracing::error!(%runtime_id, fault = %text, "the store is damaged");
        }
        let advice = "what it touches fails, the rest goes on; `yoi repair` shows what can be kept";
        self.tell(
            Severity::Error,
            "store_damaged",
            format!("{text}: {advice}"),
        );
        StoreError::Damaged(text)
    }

    /// Whether nobody was told of this damage yet: each place is said once, however often it is
    /// read.
    fn is_news(&self, text: &str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.len() < MOST_SAID && said.insert(text.to_owned())
    }

    /// Tells an operator, once for each code.
    pub(super) fn tell(&self, severity: Severity, code: &str, message: String) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.iter().all(|one| one.code != code) {
            found.push(Diagnostic {
                severity,
                code: code.to_owned(),
                message,
            });
        }
    }

    /// Nobody looks after the store any more.
    pub(super) fn unattended(&self) {
        let what =
            "nobody looks after the store any more: what is too old is not taken off the disk";
        tracing::error!("{what}");
        let message = format!("{what}; start the runtime again");
        self.tell(Severity::Error, "store_unattended", message);
    }

    /// Whether the last record that was to be written found no room.
    pub(super) fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::Release);
    }

    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = found.clone();
        if self.is_full.load(Ordering::Acquire) {
            all.push(Diagnostic {
                severity: Severity::Error,
                code: "store_full".to_owned(),
                message:
                    "the disk is full: commands are refused until there is room, and go on by \
                          themselves then"
                        .to_owned(),
            });
        }
        all
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("condition", &self.condition())
            .finish_non_exhaustive()
    }
}
