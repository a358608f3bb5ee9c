//! Who commits meanwhile waits until the disk is let go.

use std::io::ErrorKind;
use std::sync::{Arc, Condvar, Mutex};

use tokio::sync::Notify;

use crate::sim::{Failure, Fault, Kind, Nth, SimDisk};

/// Holds every write to a disk until it is dropped. Nobody else gets at the disk while one waits.
pub(super) struct Gate {
    state: Arc<State>,
    _writes: Fault,
}

#[derive(Default)]
struct State {
    is_open: Mutex<bool>,
    opened: Condvar,
    reached: Notify,
}

impl Gate {
    pub(super) fn close(disk: &SimDisk) -> Self {
        let state: Arc<State> = Arc::default();
        let gate = Arc::clone(&state);
        let writes = Nth::when(0, move |op| {
            if op.kind == Kind::Write {
                gate.reached.notify_one();
                let is_open = gate.is_open.lock().unwrap();
                drop(
                    gate.opened
                        .wait_while(is_open, |is_open| !*is_open)
                        .unwrap(),
                );
            }
            false
        });
        Self {
            _writes: disk
                .fail(writes, Failure::error(ErrorKind::Other))
                .optional(),
            state,
        }
    }

    /// Waits until a write waits.
    pub(super) async fn reached(&self) {
        self.state.reached.notified().await;
    }

    pub(super) fn open(&self) {
        *self.state.is_open.lock().unwrap() = true;
        self.state.opened.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}
