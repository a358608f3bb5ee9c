//! One life of the process, and the moment of its end.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use yoi_testkit::Process;

use super::ledger::Fate;
use super::plan::Ending;
use crate::PATIENCE;
use crate::api::{Api, Command};

/// What a command takes in the store beside what it says, and what it leads to, about.
const RECORD_BYTES: u64 = 2048;

/// The process, which ends when enough was acknowledged.
pub(super) struct Stage {
    pub(super) api: Api,
    pub(super) ending: Ending,
    process: Mutex<Process>,
    acknowledged: AtomicU64,
    said: AtomicU64,
    is_over: AtomicBool,
}

impl Stage {
    pub(super) fn new(api: &Api, process: Process, ending: Ending, said: u64) -> Self {
        Self {
            api: api.at(process.url()),
            ending,
            process: Mutex::new(process),
            acknowledged: AtomicU64::new(0),
            said: AtomicU64::new(said),
            is_over: AtomicBool::new(false),
        }
    }

    /// How much has been sent so far, by what it may take in the store.
    pub(super) fn said(&self) -> u64 {
        self.said.load(Ordering::Acquire)
    }

    /// Sends a command, and says what is known of it then.
    pub(super) async fn send(&self, command: &Command) -> Fate {
        let bytes = 2 * command.body.len() as u64 + RECORD_BYTES;
        self.said.fetch_add(bytes, Ordering::AcqRel);
        let Some(answer) = self.api.send(command).await else {
            return Fate::Doubtful;
        };
        if answer.is_success() {
            self.acknowledge();
            return Fate::Acknowledged(answer);
        }
        let problem = answer.json();
        let code = problem["code"].as_str().unwrap_or_default();
        assert!(
            matches!(code, "worker_busy" | "unavailable"),
            "{command:?} was refused: {answer:?}"
        );
        if code == "unavailable" {
            self.is_over.store(true, Ordering::Release);
        }
        assert_eq!(problem["effect"], "none", "{answer:?}");
        Fate::Absent
    }

    fn acknowledge(&self) {
        let count = self.acknowledged.fetch_add(1, Ordering::AcqRel) + 1;
        match self.ending {
            Ending::Killed(last) | Ending::KilledStarting(last, ..) if count == last => {
                self.kill();
            }
            Ending::KilledQuiet(last) if count == last => {
                self.is_over.store(true, Ordering::Release);
            }
            Ending::Asked(last) if count == last => self.process().signal("TERM"),
            _ => {}
        }
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kill(&self) {
        self.process().kill();
        self.is_over.store(true, Ordering::Release);
    }

    /// Whether nobody is to send anything more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Kills the process while segments of the store in `data` are made one, or once they are, if
    /// it is to end so; gives whether it came to that in time.
    pub(super) async fn watch_over(&self, data: &Path) -> bool {
        let is_it_time = match self.ending {
            Ending::KilledTidying => |_: &Names, now: &Names| now.unfinished,
            Ending::KilledTidied => |before: &Names, now: &Names| now.merged != before.merged,
            Ending::Killed(_)
            | Ending::KilledStarting(..)
            | Ending::KilledQuiet(_)
            | Ending::Asked(_) => return false,
        };
        let before = Names::read(data);
        let deadline = Instant::now() + PATIENCE;
        let mut is_time = false;
        while !is_time && Instant::now() < deadline {
            tokio::task::yield_now().await;
            is_time = is_it_time(&before, &Names::read(data));
        }
        self.kill();
        is_time
    }

    /// The process ends, as it was going to; gives how much it acknowledged.
    pub(super) fn end(self) -> u64 {
        let mut process = self
            .process
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match self.ending {
            Ending::Asked(_) => assert_eq!(process.ended().code(), Some(0), "it was asked to end"),
            Ending::KilledQuiet(_) => process.kill(),
            Ending::Killed(_)
            | Ending::KilledStarting(..)
            | Ending::KilledTidying
            | Ending::KilledTidied => {}
        }
        self.acknowledged.into_inner()
    }
}

/// What there is of segments that are made one.
struct Names {
    /// Whether any is being made.
    unfinished: bool,
    /// Those that are.
    merged: BTreeSet<String>,
}

impl Names {
    fn read(data: &Path) -> Self {
        let entries = std::fs::read_dir(data).expect("the store's folder");
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let (unfinished, finished): (BTreeSet<String>, _) =
            names.partition(|name| name.ends_with(".tmp"));
        Self {
            unfinished: !unfinished.is_empty(),
            merged: finished
                .into_iter()
                .filter(|name| name.contains('-'))
                .collect(),
        }
    }
}
