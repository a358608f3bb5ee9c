//! The live frames of one watched Worker: a ring, bounded in bytes, that readers walk at their
//! own pace, and where in it somebody who comes from elsewhere can go on.

use std::collections::VecDeque;

use yoi_protocol::{Cursor, Failure, InFlight};

use super::frame::{Kind, Rewritten, WatchedFrame};
use super::in_flight::{Fold, Mark, Offsets, Piece, Stream};
use crate::handle::protocol_error;

/// What each frame costs beside its text.
const OVERHEAD: usize = 256;

/// One live frame.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) frame: WatchedFrame,
    pub(crate) place: ItemPlace,
}

/// What a reader needs to know of a live frame.
#[derive(Debug)]
pub(crate) enum ItemPlace {
    Event {
        seq: u64,
        mark: Mark,
    },
    Delta {
        stream: Stream,
        offset: u64,
        end: u64,
    },
    /// From here on there is no upstream.
    Lost,
    /// From here on there is one again, and what was missed is told.
    Restored,
    Other,
}

impl ItemPlace {
    pub(crate) fn of(piece: Piece) -> Self {
        Self::Delta {
            offset: piece.offset,
            end: piece.end(),
            stream: piece.stream,
        }
    }
}

/// Where somebody stands: after the event with this cursor, with that much said since.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) seq: Option<u64>,
    pub(crate) cursor: Cursor,
    pub(crate) told: Offsets,
}

impl Standing {
    /// Moves on with an event.
    pub(crate) fn event(&mut self, seq: u64, cursor: Cursor, mark: &Mark) {
        self.seq = Some(seq);
        self.cursor = cursor;
        self.told.mark(mark);
    }
}

/// What became of a frame that was pushed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is in the ring.
    Kept,
    /// It came twice and was dropped.
    Duplicate,
}

/// What a reader finds at its position.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// This.
    Item(&'a Item),
    /// Nothing yet.
    NotYet,
    /// The ring has moved past it.
    Fallen,
}

/// What serves somebody whose cursor is in the ring.
#[derive(Debug)]
pub(crate) struct Resumed {
    /// The events after the cursor.
    pub(crate) events: VecDeque<WatchedFrame>,
    /// What is in flight after them.
    pub(crate) in_flight: Option<InFlight>,
    /// Where the live frames go on.
    pub(crate) position: u64,
}

/// The ring.
#[derive(Debug)]
pub(crate) struct Backlog {
    items: VecDeque<Item>,
    first: u64,
    bytes: usize,
    max_bytes: usize,
    /// Where one stands before the first item.
    base: Standing,
    last_seq: Option<u64>,
    fold: Fold,
}

impl Backlog {
    /// An empty ring for whatever follows `base`, after which `fold` has been said.
    pub(crate) fn new(base: Standing, fold: Fold, max_bytes: usize) -> Self {
        Self {
            items: VecDeque::new(),
            first: 0,
            bytes: 0,
            max_bytes,
            last_seq: base.seq,
            base,
            fold,
        }
    }

    /// The position behind the last item.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// Adds what came from the live upstream.
    ///
    /// # Errors
    /// `runtime_protocol_error` for a gap or a step back in `seq`, a hole between deltas, or more
    /// in flight than may be.
    pub(crate) fn push(&mut self, rewritten: Rewritten) -> Result<Pushed, Failure> {
        let Rewritten { frame, kind } = rewritten;
        let place = match kind {
            Kind::Event { seq, mark } => {
                let cursor = frame.cursor.clone().ok_or_else(protocol_error)?;
                match self.last_seq {
                    Some(last) if seq <= last && self.has_seen(seq, &cursor) => {
                        return Ok(Pushed::Duplicate);
                    }
                    Some(last) if last.checked_add(1) != Some(seq) => return Err(protocol_error()),
                    // One event has one number.
                    Some(_) if cursor == *self.last_cursor() => return Err(protocol_error()),
                    Some(_) => {}
                    // The first number that is told tells that of the event before it, too.
                    None if cursor == self.base.cursor => {
                        self.base.seq = Some(seq);
                        self.last_seq = Some(seq);
                        return Ok(Pushed::Duplicate);
                    }
                    None => self.base.seq = seq.checked_sub(1),
                }
                self.last_seq = Some(seq);
                self.fold.mark(&mark);
                ItemPlace::Event { seq, mark }
            }
            Kind::Delta(Some(piece)) => {
                if !self.fold.add(&piece) {
                    return Err(protocol_error());
                }
                ItemPlace::of(piece)
            }
            // Only who has just come is told that the past is told.
            Kind::CaughtUp(_) => return Ok(Pushed::Duplicate),
            Kind::Delta(None) | Kind::Other => ItemPlace::Other,
        };
        self.keep(Item { frame, place });
        Ok(Pushed::Kept)
    }

    /// Takes over what is in flight at the end of a past that was missed, and gives the pieces of
    /// it that nobody was told.
    ///
    /// # Errors
    /// `runtime_protocol_error` when it does not go on from what was told.
    pub(crate) fn catch_up(&mut self, in_flight: Option<InFlight>) -> Result<Vec<Piece>, Failure> {
        self.fold.catch_up(in_flight).ok_or_else(protocol_error)
    }

    /// Adds a frame of ours.
    pub(crate) fn say(&mut self, frame: WatchedFrame, place: ItemPlace) {
        self.keep(Item { frame, place });
    }

    fn keep(&mut self, item: Item) {
        self.bytes += item.frame.text.len() + OVERHEAD;
        self.items.push_back(item);
        self.shrink();
    }

    /// The Backend's cursor of the last event, or the one that it began after.
    pub(crate) fn last_cursor(&self) -> &Cursor {
        let mut cursors = self.items.iter().rev();
        cursors
            .find_map(|item| item.frame.cursor.as_ref())
            .unwrap_or(&self.base.cursor)
    }

    /// Whether an event is one that the ring has, or stands on.
    fn has_seen(&self, seq: u64, cursor: &Cursor) -> bool {
        let is_base = self.base.seq == Some(seq) && self.base.cursor == *cursor;
        is_base
            || self.items.iter().rev().any(|item| {
                matches!(&item.place, ItemPlace::Event { seq: known, .. } if *known == seq)
                    && item.frame.cursor.as_ref() == Some(cursor)
            })
    }

    fn shrink(&mut self) {
        while self.bytes > self.max_bytes && self.items.len() > 1 {
            let Some(item) = self.items.pop_front() else {
                return;
            };
            self.bytes -= item.frame.text.len() + OVERHEAD;
            self.first += 1;
            match item.place {
                ItemPlace::Event { seq, mark } => {
                    if let Some(cursor) = item.frame.cursor {
                        self.base.event(seq, cursor, &mark);
                    }
                }
                ItemPlace::Delta { stream, end, .. } => self.base.told.reach(stream, end),
                ItemPlace::Lost | ItemPlace::Restored | ItemPlace::Other => {}
            }
        }
    }

    pub(crate) fn at(&self, position: u64) -> Found<'_> {
        let Some(index) = position.checked_sub(self.first) else {
            return Found::Fallen;
        };
        usize::try_from(index)
            .ok()
            .and_then(|index| self.items.get(index))
            .map_or(Found::NotYet, Found::Item)
    }

    /// Serves a cursor from the ring, where its events are all still here.
    pub(crate) fn resume(&self, cursor: &Cursor) -> Option<Resumed> {
        let after = self.after(cursor)?;
        let events = self
            .items
            .iter()
            .skip(after)
            .filter(|item| matches!(item.place, ItemPlace::Event { .. }))
            .map(|item| item.frame.clone())
            .collect();
        Some(Resumed {
            events,
            in_flight: self.fold.in_flight(),
            position: self.end(),
        })
    }

    /// The position from which the ring has all that follows `standing`, when it has: what
    /// stands there must still be held against what was told.
    ///
    /// # Errors
    /// `runtime_protocol_error` where the event after which one stands has another number here.
    pub(crate) fn join(&self, standing: &Standing) -> Result<Option<u64>, Failure> {
        let Some(after) = self.after(&standing.cursor) else {
            return Ok(None);
        };
        if let (Some(told), Some(known)) = (standing.seq, self.seq_before(after))
            && told != known
        {
            return Err(protocol_error());
        }
        // Deltas of before the first item are gone: only who was told them can join.
        let is_at_base = after == 0 && self.base.cursor == standing.cursor;
        if is_at_base && !self.base.told.within(&standing.told) {
            return Ok(None);
        }
        let position = self.past_a_loss(after);
        Ok(position.map(|position| self.first + position as u64))
    }

    /// The number of the event after which so many items end, where it is known.
    fn seq_before(&self, after: usize) -> Option<u64> {
        let Some(last) = after.checked_sub(1) else {
            return self.base.seq;
        };
        match self.items.get(last)?.place {
            ItemPlace::Event { seq, .. } => Some(seq),
            ItemPlace::Delta { .. } | ItemPlace::Lost | ItemPlace::Restored | ItemPlace::Other => {
                None
            }
        }
    }

    /// Where who stands after so many items goes on. Where that is in the middle of a loss it did
    /// not hear of it, so it goes on behind it; not where an event was missed, whose deltas it
    /// would miss as well.
    fn past_a_loss(&self, after: usize) -> Option<usize> {
        let mut missed = false;
        for (ahead, item) in self.items.iter().skip(after).enumerate() {
            match item.place {
                ItemPlace::Lost => break,
                ItemPlace::Restored if missed => return None,
                ItemPlace::Restored => return Some(after + ahead + 1),
                ItemPlace::Event { .. } => missed = true,
                ItemPlace::Delta { .. } | ItemPlace::Other => {}
            }
        }
        Some(after)
    }

    /// How many items come up to and with the event of `cursor`.
    fn after(&self, cursor: &Cursor) -> Option<usize> {
        if self.base.cursor == *cursor {
            return Some(0);
        }
        let at = self
            .items
            .iter()
            .rposition(|item| item.frame.cursor.as_ref() == Some(cursor))?;
        Some(at + 1)
    }
}

#[cfg(test)]
mod tests;
