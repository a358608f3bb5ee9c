//! A store of a few lines.

use std::ops::Range;
use std::sync::Arc;

use worker_runtime::Clock;
use worker_runtime::store::fs::{FsStore, Retention};
use yoi_protocol::Timestamp;

use crate::history::{Step, Told, live, open, options};
use crate::power::made;
use crate::sim::SimDisk;

/// The segment that has an index.
pub(super) const SEALED: &str = "0000000001.log";
/// The one that is written to.
pub(super) const WRITTEN: &str = "0000000002.log";

/// A store that was closed.
pub(super) struct Small {
    pub(super) disk: SimDisk,
    pub(super) told: Told,
}

struct Late;

impl Clock for Late {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(1_700_000_900_000)
    }
}

impl Small {
    /// A segment with an index, and one without.
    pub(super) async fn new() -> Self {
        let mut small = Self::sealed().await;
        small
            .goes_on(&[Step::Answers(1, &[2]), Step::Answers(1, &[3])])
            .await;
        // Opened once more, it has no room that is not used.
        drop(open(&small.disk).unwrap());
        small.disk = small.disk.deep_clone();
        small
    }

    async fn goes_on(&mut self, steps: &[Step]) {
        let store = open(&self.disk).unwrap();
        live(&self.disk, &store, &mut self.told, steps).await;
    }

    /// A segment with an index.
    pub(super) async fn sealed() -> Self {
        Self::looked_after(&[Step::Next(1, &[1])], 1).await
    }

    /// A segment of which everything but how its Worker is was given up.
    pub(super) async fn written_anew() -> Self {
        let steps = [Step::Next(1, &[]); 5];
        Self::looked_after(&steps, 2).await
    }

    /// The same, and of each of its records an answer is kept.
    pub(super) async fn written_anew_with_answers() -> Self {
        let steps = [1, 2, 3].map(|key| Step::Next(1, vec![key].leak()));
        Self::looked_after(&steps, 2).await
    }

    /// All of it is old once it is looked after: it gets its index, and the next time it is given
    /// up.
    async fn looked_after(steps: &[Step], times: usize) -> Self {
        let (disk, mut told) = (made(), Told::default());
        let old = Retention {
            max_worker_events: u64::MAX,
            max_worker_bytes: u64::MAX,
            max_age_ms: Some(1),
            max_bytes: None,
        };
        let old = options().retention(old).clock(Arc::new(Late));
        let store = FsStore::open_on(Arc::new(disk.clone()), old).unwrap();
        live(&disk, &store, &mut told, steps).await;
        for _ in 0..times {
            live(&disk, &store, &mut told, &[Step::Maintain]).await;
            // It is sealed by who writes, after what waits.
            while disk.files()[SEALED].ends_with(b"\0") {
                tokio::task::yield_now().await;
            }
        }
        drop(store);
        Self {
            disk: disk.deep_clone(),
            told,
        }
    }

    pub(super) fn size(&self, file: &str) -> u64 {
        self.disk.files()[file].len() as u64
    }

    /// Where the lines of a file are, from an offset on.
    pub(super) fn lines(&self, file: &str, from: u64) -> Vec<Range<u64>> {
        let bytes = self.disk.files().remove(file).unwrap();
        let mut start = from;
        let lines = bytes[from as usize..].split_inclusive(|byte| *byte == b'\n');
        lines
            .map(|line| {
                let line = start..start + line.len() as u64;
                start = line.end;
                line
            })
            .collect()
    }

    /// Where the index of a segment begins.
    pub(super) fn index(&self, file: &str) -> u64 {
        let bytes = self.disk.files().remove(file).unwrap();
        let lines = self.lines(file, 0).into_iter();
        let is_record = |line: &Range<u64>| b"HRD".contains(&bytes[line.start as usize + 9]);
        lines.filter(is_record).map(|line| line.end).max().unwrap()
    }
}
