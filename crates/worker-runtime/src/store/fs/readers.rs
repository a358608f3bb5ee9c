//! A few threads that may wait for the disk, so that whoever reads does not.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and what waits for one of them.
pub(super) struct Readers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    is_closed: bool,
}

/// Reads wait for a disk, or are done at once: more threads than this only wait together.
const MOST: usize = 8;

impl Readers {
    pub(super) fn start() -> io::Result<Self> {
        let mut readers = Self {
            queue: Arc::default(),
            threads: Vec::new(),
        };
        let count = thread::available_parallelism().map_or(2, NonZero::get);
        for _ in 0..count.clamp(2, MOST) {
            let queue = Arc::clone(&readers.queue);
            let thread = thread::Builder::new().name("yoi-store-read".to_owned());
            readers.threads.push(thread.spawn(move || queue.work())?);
        }
        Ok(readers)
    }

    /// Does `read` on one of the threads; `None` when it did not come to its end. One that nobody
    /// waits for any more is not begun.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, done) = oneshot::channel();
        self.queue.push(Box::new(move || {
            if !reply.is_closed() {
                // Whoever gave up waiting meanwhile does not get it.
                let _ = reply.send(read());
            }
        }));
        done.await.ok()
    }
}

impl Queue {
    fn push(&self, job: Job) {
        self.state().waiting.push_back(job);
        self.more.notify_one();
    }

    fn work(&self) {
        loop {
            let mut state = self.state();
            let job = loop {
                if state.is_closed {
                    return;
                }
                if let Some(job) = state.waiting.pop_front() {
                    break job;
                }
                state = self
                    .more
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            };
            drop(state);
            // One that panics is told to whoever waits; the thread is there for the next.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        {
            let mut state = self.queue.state();
            state.is_closed = true;
            state.waiting.clear();
        }
        self.queue.more.notify_all();
        for thread in self.threads.drain(..) {
            // What it panicked with is on standard error.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}
