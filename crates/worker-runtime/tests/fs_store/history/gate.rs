//! Who commits meanwhile waits until the disk is let go.

use std::io::ErrorKind;
use std::sync::{Arc, Condvar, Mutex};

use crate::sim::{Failure, Fault, Kind, Nth, SimDisk};

/// Holds every write to a disk until it is dropped. Nobody else gets at the disk meanwhile.
pub(super) struct Gate {
    is_open: Arc<(Mutex<bool>, Condvar)>,
    _writes: Fault,
}

impl Gate {
    pub(super) fn close(disk: &SimDisk) -> Self {
        let is_open: Arc<(Mutex<bool>, Condvar)> = Arc::default();
        let gate = Arc::clone(&is_open);
        let writes = Nth::when(0, move |op| {
            if op.kind == Kind::Write {
                let (is_open, opened) = &*gate;
                let is_open = is_open.lock().unwrap();
                drop(opened.wait_while(is_open, |is_open| !*is_open).unwrap());
            }
            false
        });
        Self {
            _writes: disk
                .fail(writes, Failure::error(ErrorKind::Other))
                .optional(),
            is_open,
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let (is_open, opened) = &*self.is_open;
        *is_open.lock().unwrap() = true;
        opened.notify_all();
    }
}
