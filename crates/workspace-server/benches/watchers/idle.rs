//! Many watchers of a Worker that does nothing: what each costs in memory.

use crate::stage::{Door, Stage};

const WATCHERS: usize = 10_000;
/// Open files that a process has beside its watchers.
const OTHER_FILES: u64 = 512;

pub(crate) async fn measure(stage: &Stage, open_files: u64) {
    let most = usize::try_from(open_files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    let count = WATCHERS.min(most);
    println!("\n{count} watchers of one idle Worker");
    if count < WATCHERS {
        println!("(fewer than {WATCHERS}: a process may have only {open_files} open files)");
    }
    for door in Door::BOTH {
        let server = match door {
            Door::Runtime => &stage.runtime,
            Door::Backend => &stage.backend,
        };
        let worker = stage.worker().await;
        let before = server.pid.resident();
        let crowd = stage.gather(door, &worker, count, 0);
        if door == Door::Backend {
            stage.until_shared().await;
        }
        let each = server.pid.resident().saturating_sub(before) / count as u64;
        println!("{:<10} {each:>7} bytes of its memory for each", door.name());
        if door == Door::Backend {
            println!("{:<10} {:>7} upstream sockets", "", stage.upstreams());
        }
        drop(crowd);
    }
}
