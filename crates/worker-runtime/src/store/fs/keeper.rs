//! Who looks after the store: gives up what is too old, takes it off the disk, and reads
//! everything again now and then.

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use yoi_protocol::Timestamp;

use super::choose::choose;
use super::compact::{NotCompacted, compact};
use super::name::{HEAD, IDENTITY};
use super::read::Fault;
use super::retain::{give_up, too_old};
use super::scrub::Scrub;
use super::shared::Shared;
use crate::store::Condition;

/// How often it looks. Each time about a mebibyte is read again, so that nobody notices.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it asks what is still wanted when no segment changed.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// So many segments at least hold what is kept for as long as it is kept.
const SPANS: u64 = 8;
/// How long it rests once it has read everything.
const REST: Duration = Duration::from_secs(60 * 60);

/// Looks after a store until the other end of `stop` is gone.
pub(super) fn keep(shared: &Arc<Shared>, stop: &Receiver<()>) {
    let _keeper = Keeper(shared);
    let mut scrub = Scrub::default();
    let mut scrub_at = Instant::now();
    let mut changes = None;
    let mut ask_at = Instant::now();
    while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(LOOK_EVERY) {
        shared.sync_head("syncing the mark");
        look_for_files(shared);
        let seen = shared.index().changes;
        if changes != Some(seen) || Instant::now() >= ask_at {
            tidy(shared);
            changes = Some(shared.index().changes);
            ask_at = Instant::now() + ASK_EVERY;
        }
        if Instant::now() >= scrub_at && scrub_step(shared, &mut scrub) {
            scrub_at = Instant::now() + REST;
        }
    }
}

/// Says that nobody looks after the store any more, when that is so for another reason than its
/// end.
struct Keeper<'a>(&'a Shared);

impl Drop for Keeper<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.unattended();
        }
    }
}

/// Gives up what is too old, and takes it off the disk. One at a time, whoever asks.
pub(super) fn tidy(shared: &Shared) {
    let _one = shared
        .maintenance
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let retention = &shared.options.retention;
    let now = shared.options.clock.now();
    let answers_from = shared.answers_from();
    let last = too_old(&shared.index(), retention, now, answers_from);
    if let Some(last) = last {
        give_up(&mut shared.index_mut(), last);
        shared.mark_given_up(last);
    }
    // What is in one segment is given up together, so none may span a long time.
    let max_span_ms = retention.max_age_ms.map_or(u64::MAX, |age| age / SPANS);
    if retention.max_age_ms.is_some() {
        let old = now.as_unix_ms().saturating_sub_unsigned(max_span_ms);
        shared.queue.seal_if_before(Timestamp::from_unix_ms(old));
    }
    // What is damaged is left as it is, for whoever repairs it.
    while shared.condition() == Condition::Sound && !shared.is_closing() {
        let segment_bytes = shared.options.segment_bytes;
        let run = choose(&shared.index(), segment_bytes, max_span_ms, answers_from);
        if run.is_empty() {
            return;
        }
        match compact(shared, &run) {
            // That may have taken long, and there may be more.
            Ok(()) => shared.sync_head("syncing the mark"),
            Err(NotCompacted::Read(Fault { file, what })) => {
                shared.damage(&file, &what);
            }
            Err(NotCompacted::Refused(error)) => {
                tracing::warn!(kind = %error.kind(), "segments are not made one yet");
                return;
            }
            Err(NotCompacted::Unsynced(error)) => {
                shared.fail("making segments one", &error);
            }
        }
    }
}

/// Takes no more records when a file of the store is gone: what is written to it is there for
/// nobody.
pub(super) fn look_for_files(shared: &Shared) {
    let _one = shared
        .maintenance
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let names = {
        let index = shared.index();
        let sealed = index.sealed.values().map(|sealed| &sealed.segment);
        let segments = sealed.chain(&index.active);
        let names: Vec<String> = segments.map(|segment| segment.name.to_string()).collect();
        names
    };
    let listed = shared.disk.list();
    let found: HashSet<String> = match listed {
        Ok(found) => found.into_iter().collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => HashSet::new(),
        Err(error) => {
            // Nothing is known to be gone: it is looked for again.
            tracing::warn!(kind = %error.kind(), "the store's files are not looked for");
            return;
        }
    };
    let mut wanted = names.iter().map(String::as_str).chain([IDENTITY, HEAD]);
    if let Some(gone) = wanted.find(|name| !found.contains(*name)) {
        tracing::error!(file = gone, "a file of the store was taken away");
        let error = std::io::ErrorKind::NotFound.into();
        shared.fail("looking for its files, of which one was taken away", &error);
    }
}

/// Reads on; says whether everything was read.
pub(super) fn scrub_step(shared: &Shared, scrub: &mut Scrub) -> bool {
    match scrub.step(shared) {
        Ok(is_done) => is_done,
        Err(Fault { file, what }) => {
            shared.damage(&file, &what);
            false
        }
    }
}
