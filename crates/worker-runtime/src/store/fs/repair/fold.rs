//! What the good lines of a store add up to, log by log.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use uuid::Uuid;
use yoi_protocol::{Event, Worker, WorkerStatus};

use super::{Kept, Repair, another_life};
use crate::fold::WorkerState;
use crate::store::fs::error::OpenError;
use crate::store::fs::identity::Identity;
use crate::store::fs::salvage::{Flaw, Found, Salvage};
use crate::store::{LogId, Record, StoredEvent};

/// What the good lines of a store add up to.
pub(super) struct Fold {
    /// What is kept of each log.
    pub(super) logs: HashMap<LogId, Log>,
    /// Those of which nothing can be kept, and up to where they went.
    lost: HashMap<LogId, u64>,
    flaws: Vec<Flaw>,
    answers: u64,
}

/// What is kept of one log.
pub(super) struct Log {
    pub(super) state: WorkerState,
    /// The first `seq` that is kept.
    pub(super) first: u64,
    /// The number of the first entry that is kept, or of the next one.
    pub(super) sequence: u64,
    lost: Vec<(u64, u64)>,
    /// Its life from now on.
    pub(super) life: Uuid,
}

/// What is known of a log before it is folded.
#[derive(Default)]
struct Known {
    /// How it was, by `seq`.
    states: BTreeMap<u64, Worker>,
    /// The last `seq` of each record, by its first.
    spans: BTreeMap<u64, u64>,
    /// Who it is, as it was at first.
    worker: Option<Worker>,
    /// Where inputs were taken, and how many entries there were before.
    inputs: BTreeMap<u64, u64>,
    /// Where runs finished.
    finishes: BTreeSet<u64>,
    /// The last `seq` of all.
    end: u64,
    /// How many doubts there were when that was seen.
    doubts: u64,
}

impl Known {
    fn reaches(&mut self, seq: u64, doubts: u64) {
        if seq >= self.end {
            self.end = seq;
            self.doubts = doubts;
        }
    }

    fn saw(&mut self, event: StoredEvent) {
        match event.event {
            Event::Snapshot { worker, .. } => {
                self.worker.get_or_insert(*worker);
            }
            Event::InputAccepted { entry } => {
                let before = entry.sequence.saturating_sub(1);
                self.inputs.insert(event.seq, before);
            }
            Event::RunFinished { .. } => {
                self.finishes.insert(event.seq);
            }
            _ => {}
        }
    }

    /// How the log was before the first input of a stretch whose run is over there, too: a Worker
    /// that takes an input is idle, and what its last run came to is told again at the end of this.
    fn before_a_run(&self, first: u64, last: u64) -> Option<(u64, Worker)> {
        let (seq, length) = self.inputs.range(first..=last).next()?;
        self.finishes.range(seq..=&last).next()?;
        let mut worker = self.worker.clone()?;
        worker.status = WorkerStatus::Idle;
        worker.active_run = None;
        worker.transcript_length = *length;
        Some((seq - 1, worker))
    }
}

impl Fold {
    /// Reads a store three times: what is there, what it adds up to, and which answers that leaves.
    pub(super) fn of(salvage: &Salvage) -> Result<Self, OpenError> {
        let mut known: HashMap<LogId, Known> = HashMap::new();
        let mut gone: HashSet<LogId> = HashSet::new();
        let mut doubts = 0;
        salvage.each(|found| {
            match found {
                Found::Doubt => doubts += 1,
                Found::Dropped(log) => {
                    gone.insert(log);
                }
                Found::State { log, seq, worker } => {
                    let known = known.entry(log).or_default();
                    known.reaches(seq, doubts);
                    known.states.insert(seq, *worker);
                }
                Found::Record(record) => {
                    if let Some((first, last)) = record.events.first().zip(record.events.last()) {
                        let known = known.entry(record.log.clone()).or_default();
                        known.reaches(last.seq, doubts);
                        known.spans.insert(first.seq, last.seq);
                        for event in record.events {
                            known.saw(event);
                        }
                    }
                }
            }
            Ok(())
        })?;
        let mut plans: HashMap<LogId, Plan> = known
            .into_iter()
            .filter(|(log, _)| !gone.contains(log))
            .map(|(log, known)| {
                let is_doubtful = known.doubts < doubts;
                (log, Plan::of(known, is_doubtful))
            })
            .collect();
        let flaws = salvage.each(|found| {
            if let Found::Record(record) = found
                && let Some(plan) = plans.get_mut(&record.log)
            {
                plan.take(&record);
            }
            Ok(())
        })?;
        let mut fold = Self {
            logs: HashMap::new(),
            lost: HashMap::new(),
            flaws,
            answers: 0,
        };
        for (log, plan) in plans {
            let end = plan.end;
            match plan.finish(log.life) {
                Some(kept) => drop(fold.logs.insert(log, kept)),
                None => drop(fold.lost.insert(log, end)),
            }
        }
        let mut answers = 0;
        salvage.each(|found| {
            if let Found::Record(record) = found
                && !fold.loses(&record)
            {
                answers += record.keys.len() as u64;
            }
            Ok(())
        })?;
        fold.answers = answers;
        Ok(fold)
    }

    /// Whether what a record did is undone: its answers would tell of what is not so.
    pub(super) fn loses(&self, record: &Record) -> bool {
        let Some(first) = record.events.first() else {
            return false;
        };
        match self.logs.get(&record.log) {
            Some(kept) => first.seq > kept.state.seq,
            // Whoever was forgotten has done what it is remembered for.
            None => self.lost.contains_key(&record.log),
        }
    }

    pub(super) fn report(self, identity: &Identity) -> Repair {
        let kept = self.logs.into_iter().map(|(log, kept)| {
            let kept = Kept {
                is_another_life: kept.life != log.life,
                worker_id: log.worker_id.clone(),
                first_seq: kept.first,
                last_seq: kept.state.seq,
                lost: kept.lost,
            };
            (log, kept)
        });
        let lost = self.lost.into_iter().map(|(log, end)| {
            let kept = Kept {
                is_another_life: false,
                worker_id: log.worker_id.clone(),
                first_seq: 1,
                last_seq: 0,
                lost: vec![(1, end)],
            };
            (log, kept)
        });
        let mut logs: Vec<(LogId, Kept)> = kept.chain(lost).collect();
        logs.sort_by(|(one, _), (other, _)| one.cmp(other));
        let workers = logs.into_iter().map(|(_, kept)| kept).collect();
        Repair {
            runtime: identity.runtime.clone(),
            flaws: self.flaws,
            workers,
            answers: self.answers,
            before: None,
        }
    }
}

/// Which records of a log are folded, and from what.
struct Plan {
    /// Where the fold begins: how the log was, and up to where; none where it begins with its first
    /// record.
    base: Option<(u64, Worker)>,
    /// The first and the last `seq` that are folded.
    first: u64,
    last: u64,
    /// The last `seq` that there is anything of.
    end: u64,
    /// There is more after `last` that nothing can be made of, or may be.
    is_cut: bool,
    state: Option<WorkerState>,
    /// How many events are kept, and how many of them are entries.
    events: u64,
    entries: u64,
}

impl Plan {
    /// The latest stretch without a hole from some point of which on it is known how the log was: from
    /// its begin, from where an index says so, or from an input on. What is before it is given up,
    /// what is after it is lost.
    fn of(mut known: Known, is_doubtful: bool) -> Self {
        let mut states = std::mem::take(&mut known.states);
        let end = known.end;
        let mut stretches: Vec<(u64, u64)> = Vec::new();
        for (first, last) in std::mem::take(&mut known.spans) {
            match stretches.last_mut() {
                Some((_, end)) if *end + 1 == first => *end = last,
                Some((_, end)) if *end >= first => {}
                _ => stretches.push((first, last)),
            }
        }
        let mut plan = Self {
            base: None,
            first: end + 1,
            last: end,
            end,
            is_cut: is_doubtful,
            state: None,
            events: 0,
            entries: 0,
        };
        // From the latest on: the first that can be folded is the one.
        for (first, last) in stretches.iter().rev() {
            // What an index says of later stands for all of it.
            if let Some(later) = states.split_off(&(last + 1)).pop_last() {
                return plan.from(later);
            }
            let within = states.range(first.saturating_sub(1)..=*last).next();
            let base = within.map(|(seq, worker)| (*seq, worker.clone()));
            if base.is_some() || *first == 1 {
                plan.first = *first;
                plan.last = *last;
                plan.is_cut |= *last < end;
                plan.base = base;
                return plan;
            }
            if let Some((seq, worker)) = known.before_a_run(*first, *last) {
                plan.first = seq + 1;
                plan.last = *last;
                plan.is_cut |= *last < end;
                plan.base = Some((seq, worker));
                return plan;
            }
        }
        match states.pop_last() {
            Some(state) => plan.from(state),
            None => plan,
        }
    }

    /// Nothing but how the log was at one point.
    fn from(self, (seq, worker): (u64, Worker)) -> Self {
        Self {
            first: seq + 1,
            is_cut: self.is_cut || seq < self.last,
            last: seq,
            base: Some((seq, worker)),
            ..self
        }
    }

    fn take(&mut self, record: &Record) {
        for event in &record.events {
            // One that stands twice, or before its turn, counts where it belongs.
            if event.seq != self.first + self.events || event.seq > self.last {
                continue;
            }
            if !self.fold(event) {
                // What does not add up ends what can be kept.
                self.is_cut = true;
                self.last = self.state.as_ref().map_or(0, |state| state.seq);
                return;
            }
            self.events += 1;
            self.entries += u64::from(event.entry().is_some());
        }
    }

    /// Folds the next event, unless what it adds up to is known.
    fn fold(&mut self, event: &StoredEvent) -> bool {
        if let Some(state) = &mut self.state {
            return state.apply(event).is_ok();
        }
        match &self.base {
            Some((seq, _)) if event.seq <= *seq => true,
            Some((seq, worker)) => {
                let mut state = WorkerState::resume(worker.clone(), *seq);
                let is_next = state.apply(event).is_ok();
                self.state = Some(state);
                is_next
            }
            None => {
                self.state = WorkerState::begin(event).ok();
                self.state.is_some()
            }
        }
    }

    fn finish(self, life: Uuid) -> Option<Log> {
        let state = match (self.state, self.base) {
            (Some(state), _) => state,
            (None, Some((seq, worker))) => WorkerState::resume(worker, seq),
            (None, None) => return None,
        };
        let is_cut = self.is_cut || state.seq < self.last;
        let (first, last) = (self.first.min(state.seq + 1), state.seq);
        let before = (first > 1).then(|| (1, first - 1));
        let after = (last < self.end).then(|| (last + 1, self.end));
        Some(Log {
            first,
            sequence: (state.worker.transcript_length + 1).saturating_sub(self.entries),
            state,
            lost: before.into_iter().chain(after).collect(),
            life: if is_cut { another_life() } else { life },
        })
    }
}
