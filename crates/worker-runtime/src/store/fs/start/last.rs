//! The last segment: one without an index, whose records are read one by one.

use std::sync::Arc;

use super::Start;
use crate::fold::{FoldError, WorkerState};
use crate::store::Record;
use crate::store::answers::Answers;
use crate::store::fs::active::Active;
use crate::store::fs::error::{OpenError, READING};
use crate::store::fs::index::Index;
use crate::store::fs::line::{Kind, Line};
use crate::store::fs::record::{decode, decode_dropped};
use crate::store::fs::scan::{Scan, Tail, scan};
use crate::store::fs::segment::Segment;
use crate::store::fs::segments;
use crate::store::fs::shared::Place;

impl Start<'_> {
    /// Reads the segment that has no index.
    pub(super) fn load_last(&mut self, segment: Segment) -> Result<Option<Active>, OpenError> {
        let size = segment.file.size().map_err(OpenError::io(READING))?;
        let bytes = segment
            .bytes(0, size as usize)
            .map_err(|fault| OpenError::of_segment(&segment, &fault))?;
        let expected = self.lsn + 1;
        let found = scan(segment.salt, &bytes, expected, self.mark.lsn);
        let name = segment.name;
        let before = found.lines.len() as u64;
        if let Tail::Damaged { after } = found.tail {
            return Err(OpenError::Damaged {
                file: name.to_string(),
                offset: found.end,
                what: "a record that was acknowledged is not what was written",
                before,
                after,
            });
        }
        let is_sealed = matches!(found.tail, Tail::Sealed { .. });
        let is_used = is_sealed || !found.lines.is_empty();
        let Some(first_lsn) = found.first_lsn.filter(|_| is_used) else {
            self.end(Some(name), found.end)?;
            if let Tail::Torn { bytes } = found.tail
                && found.first_lsn.is_some()
            {
                self.cut = Some((name.to_string(), found.end, bytes));
            }
            // Begun, and never used. Who begins it anew sees to it that its name lasts.
            drop(segment);
            self.disk
                .remove(&name.to_string())
                .map_err(OpenError::io("removing an unused segment"))?;
            return Ok(None);
        };
        if first_lsn != expected {
            return Err(OpenError::in_segment(
                &segment,
                0,
                "it does not follow the segment before it",
            ));
        }
        let active = self.replay(segment, &found)?;
        self.end(Some(name), found.end)?;
        self.settle(active, &found, &bytes)
    }

    /// Adds the records of the last segment to what the indexes said.
    fn replay(&mut self, segment: Segment, found: &Scan<'_>) -> Result<Active, OpenError> {
        let segment = Arc::new(segment);
        let number = segment.name.last;
        let mut active = Active::new(Arc::clone(&segment), found.end, 0);
        for (offset, size, line) in &found.lines {
            let no_record =
                || OpenError::in_segment(&segment, *offset, "this is not a record of this version");
            self.lsn = line.lsn;
            if line.kind == Kind::Dropped {
                let log = decode_dropped(line.json).ok_or_else(no_record)?;
                let begun = self.index.logs.remove(&log).map(|known| known.begun);
                active.tally.count_dropped();
                active.dropped.push((log, begun));
                continue;
            }
            let record = decode(line.json).ok_or_else(no_record)?;
            let place = (*offset as u32, *size);
            if let Some(after) = self.fold(&record)?
                && self
                    .index
                    .add(&record, after, place, &self.options.retention)
            {
                active.touched.push(record.log.clone());
            }
            let place = Place {
                segment: number,
                offset: *offset as u32,
            };
            for key in &record.keys {
                if self.remembers(key.at, line.lsn) {
                    self.answers.insert(key.key, key.at, place);
                }
            }
            active.tally.count(&record, *offset as u32);
        }
        self.index.active = Some(segment);
        Ok(active)
    }

    /// What a log adds up to with a record; `None` for a record without events.
    fn fold(&self, record: &Record) -> Result<Option<Arc<WorkerState>>, OpenError> {
        let inconsistent = |fault: FoldError| OpenError::Inconsistent {
            worker_id: record.log.worker_id.to_string(),
            rule: fault.rule(),
        };
        let mut state = match self.index.logs.get(&record.log) {
            Some(known) if !record.events.is_empty() => Some((*known.state).clone()),
            _ => None,
        };
        for event in &record.events {
            match &mut state {
                Some(state) => state.apply(event).map_err(inconsistent)?,
                None => state = Some(WorkerState::begin(event).map_err(inconsistent)?),
            }
        }
        Ok(state.map(Arc::new))
    }

    /// Makes the last segment ready to be written to, or to be left as it is.
    fn settle(
        &mut self,
        mut active: Active,
        found: &Scan<'_>,
        bytes: &[u8],
    ) -> Result<Option<Active>, OpenError> {
        let segment = Arc::clone(&active.segment);
        // What is known to have been acknowledged was synced.
        let is_known = |(_, _, line): &&(u64, u32, Line<'_>)| line.lsn <= self.mark.lsn;
        let open = found.lines.iter().find(|line| !is_known(line));
        let from = open.map_or(found.end, |(offset, ..)| *offset);
        let end = match found.tail {
            Tail::Sealed { end } => end,
            _ => found.end,
        };
        segment
            .renew(&bytes[from as usize..end as usize], from)
            .map_err(OpenError::io("ending the last segment"))?;
        active.allocated = end;
        match found.tail {
            Tail::Torn { bytes } => {
                self.cut = Some((segment.name.to_string(), found.end, bytes));
            }
            // Its end was not cut off yet: as a whole it is read like any other.
            Tail::Sealed { .. } if !self.is_again => return self.reload(),
            Tail::Sealed { .. } => {
                let what = "its index is not one of this version";
                return Err(OpenError::in_segment(&segment, found.end, what));
            }
            Tail::Clean | Tail::Damaged { .. } => {}
        }
        Ok(Some(active))
    }

    /// Reads everything again: the last segment has its index now.
    fn reload(&mut self) -> Result<Option<Active>, OpenError> {
        self.index = Index::default();
        self.answers = Answers::default();
        self.gone.clear();
        self.lsn = 0;
        self.is_again = true;
        let names = self
            .disk
            .list()
            .map_err(OpenError::io("reading the folder"))?;
        let segments = segments::counted(self.disk, &names)?;
        self.read(&segments)
    }
}
