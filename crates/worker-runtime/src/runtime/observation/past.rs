//! What an observation begins with: a snapshot, or the events after a cursor.

use std::sync::Arc;

use yoi_protocol::{Entry, Event};

use crate::error::RuntimeError;
use crate::runtime::slot::Slot;
use crate::runtime::{Inner, ObservedFrame, frames};
use crate::store::{Range, StoredEvent};
use crate::token::Position;

/// How much of the past is read at a time.
const PAGE_EVENTS: usize = 256;
const PAGE_BYTES: u64 = 256 * 1024;
/// How much of the transcript a snapshot has.
const SNAPSHOT_ENTRIES: u64 = 100;
const SNAPSHOT_BYTES: u64 = 1024 * 1024;

/// The first frames, and how far they go.
pub(super) struct Past {
    pub(super) frames: Vec<ObservedFrame>,
    pub(super) after: u64,
}

impl Past {
    /// The first events after `cursor`, so that a cursor that leads nowhere is refused at once.
    pub(super) async fn after(
        inner: &Inner,
        slot: &Slot,
        cursor: &str,
    ) -> Result<Self, RuntimeError> {
        let position = Position::parse(cursor).ok_or(RuntimeError::CursorInvalid)?;
        let seq = slot.live().state.seq;
        if position.life != slot.log.life || position.seq > seq {
            return Err(RuntimeError::CursorUnknown);
        }
        let frames = page(inner, slot, position.seq).await?;
        Ok(Self {
            after: position.seq + frames.len() as u64,
            frames,
        })
    }

    /// The Worker as it is now, in one event.
    pub(super) async fn snapshot(inner: &Inner, slot: &Slot) -> Result<Self, RuntimeError> {
        let state = Arc::clone(&slot.live().state);
        let (transcript, first_sequence) =
            latest(inner, slot, state.worker.transcript_length).await?;
        let snapshot = StoredEvent {
            seq: state.seq,
            at: state.worker.updated_at,
            event: Event::Snapshot {
                worker: Box::new(state.worker.clone()),
                transcript,
                first_sequence,
            },
        };
        Ok(Self {
            frames: vec![frames::event(&slot.log, &snapshot)],
            after: state.seq,
        })
    }
}

/// The next events after `after` that are published; none when there are none.
pub(super) async fn page(
    inner: &Inner,
    slot: &Slot,
    after: u64,
) -> Result<Vec<ObservedFrame>, RuntimeError> {
    let until = slot.live().state.seq;
    if until == after {
        return Ok(Vec::new());
    }
    let range = Range {
        after,
        until,
        max_items: PAGE_EVENTS,
        max_bytes: PAGE_BYTES,
    };
    let page = inner.events(&slot.log, range).await?;
    // What the store holds may start later than asked for, or be gone with its Worker.
    match page.events.first().map(Arc::as_ref) {
        Some(first) if first.seq == after + 1 => {}
        _ => return Err(RuntimeError::CursorExpired),
    }
    let frame = |event: &Arc<StoredEvent>| frames::event(&slot.log, event);
    Ok(page.events.iter().map(frame).collect())
}

/// The latest entries that fit, at least the last one, and the first sequence that is retained.
async fn latest(inner: &Inner, slot: &Slot, until: u64) -> Result<(Vec<Entry>, u64), RuntimeError> {
    let mut count = SNAPSHOT_ENTRIES;
    loop {
        let range = Range {
            after: until.saturating_sub(count),
            until,
            max_items: usize::try_from(count).unwrap_or(usize::MAX),
            max_bytes: SNAPSHOT_BYTES,
        };
        let page = inner.entries(&slot.log, range).await?;
        let reaches_end = page
            .entries
            .last()
            .is_none_or(|last| last.sequence == until);
        if reaches_end || count == 1 {
            return Ok((page.entries, page.first_sequence));
        }
        count /= 2;
    }
}
