//! The upstream that one reader has to itself, until it is caught up and handed over.

use tokio::sync::OwnedSemaphorePermit;
use yoi_protocol::{Cursor, RawFrame, StreamEnd};

use super::backlog::{Backlog, Standing};
use super::frame::{Kind, Rewriter, WatchedFrame};
use super::in_flight::{Fold, Offsets};
use crate::handle::{Upstream, protocol_error};

/// One reader's own upstream.
pub(super) struct Own {
    pub(super) upstream: Box<dyn Upstream>,
    pub(super) rewriter: Rewriter,
    /// Where its reader stands; nowhere before a first snapshot.
    standing: Option<Standing>,
    fold: Fold,
    caught_up: bool,
    /// Its place among the short upstreams.
    _permit: OwnedSemaphorePermit,
}

impl Own {
    /// An upstream that was opened after `cursor` (the Backend's), or from a snapshot on.
    pub(super) fn new(
        upstream: Box<dyn Upstream>,
        rewriter: Rewriter,
        cursor: Option<Cursor>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            upstream,
            rewriter,
            standing: cursor.map(|cursor| Standing {
                seq: None,
                cursor,
                told: Offsets::default(),
            }),
            fold: Fold::default(),
            caught_up: false,
            _permit: permit,
        }
    }

    /// Where the reader stands, once the past is told.
    pub(super) fn ready(&self) -> Option<&Standing> {
        self.standing.as_ref().filter(|_| self.caught_up)
    }

    /// The upstream to be shared from here on, and an empty ring for what follows.
    pub(super) fn share(self, max_bytes: usize) -> Option<(Box<dyn Upstream>, Rewriter, Backlog)> {
        let standing = self.standing?;
        let backlog = Backlog::new(standing, self.fold.in_flight(), max_bytes);
        Some((self.upstream, self.rewriter, backlog))
    }

    /// The frame as its reader gets it; `None` for one that came twice.
    pub(super) fn take(&mut self, raw: RawFrame) -> Result<Option<WatchedFrame>, StreamEnd> {
        let broken = || StreamEnd::Failed(protocol_error());
        let rewritten = self.rewriter.rewrite(raw).map_err(StreamEnd::Failed)?;
        match rewritten.kind {
            Kind::Event { seq, mark } => {
                let cursor = rewritten.frame.cursor.clone().ok_or_else(broken)?;
                match &mut self.standing {
                    None => {
                        self.standing = Some(Standing {
                            seq: Some(seq),
                            cursor,
                            told: Offsets::default(),
                        });
                    }
                    Some(standing) => {
                        match standing.seq {
                            Some(last) if seq == last && cursor == standing.cursor => {
                                return Ok(None);
                            }
                            Some(last) if seq != last + 1 => return Err(broken()),
                            Some(_) | None => {}
                        }
                        standing.event(seq, cursor, &mark);
                    }
                }
                self.fold.mark(&mark);
            }
            Kind::CaughtUp(in_flight) => {
                let standing = self.standing.as_mut().ok_or_else(broken)?;
                if self.caught_up {
                    return Ok(None);
                }
                standing.told = Offsets::of(in_flight.as_ref());
                self.fold = Fold::new(in_flight);
                self.caught_up = true;
            }
            Kind::Delta(Some(piece)) => {
                if !self.caught_up || !self.fold.add(&piece) {
                    return Err(broken());
                }
                if let Some(standing) = &mut self.standing {
                    let end = piece.end();
                    standing.told.reach(piece.stream, end);
                }
            }
            Kind::Delta(None) | Kind::Other => {}
        }
        Ok(Some(rewritten.frame))
    }
}
