//! What the disk can do: the same bytes, appended and synced with nothing around it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// As many bytes as the record of an input takes.
pub(crate) const RECORD_BYTES: usize = 540;

fn file(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap()
}

/// Records a second, one append and one fdatasync at a time.
pub(crate) fn one_at_a_time(folder: &Path, time: Duration) -> f64 {
    let mut file = file(&folder.join("raw"));
    let record = [b'x'; RECORD_BYTES];
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed() < time {
        file.write_all(&record).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}

#[derive(Default)]
struct Group {
    state: Mutex<State>,
    turn: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    taken: u64,
    synced: u64,
    is_writing: bool,
}

/// Records a second with group commit and nothing else: each of `clients` threads appends and
/// waits, and whoever finds nobody writing writes for all.
pub(crate) fn group_commit(folder: &Path, clients: usize, time: Duration) -> f64 {
    let file = Arc::new(file(&folder.join("group")));
    let group = Arc::new(Group::default());
    let began = Instant::now();
    let threads: Vec<_> = (0..clients)
        .map(|_| {
            let (file, group) = (Arc::clone(&file), Arc::clone(&group));
            thread::spawn(move || {
                let mut count = 0;
                while began.elapsed() < time {
                    group.append(&file, &[b'x'; RECORD_BYTES]);
                    count += 1;
                }
                count
            })
        })
        .collect();
    let count: u32 = threads.into_iter().map(|one| one.join().unwrap()).sum();
    f64::from(count) / began.elapsed().as_secs_f64()
}

impl Group {
    fn append(&self, file: &File, record: &[u8]) {
        let mut state = self.state.lock().unwrap();
        state.waiting.extend_from_slice(record);
        state.taken += 1;
        let mine = state.taken;
        while state.synced < mine {
            if state.is_writing {
                state = self.turn.wait(state).unwrap();
                continue;
            }
            state.is_writing = true;
            let bytes = std::mem::take(&mut state.waiting);
            let upto = state.taken;
            drop(state);
            let mut to = file;
            to.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
            state = self.state.lock().unwrap();
            state.is_writing = false;
            state.synced = upto;
            self.turn.notify_all();
        }
    }
}
