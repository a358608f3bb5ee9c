//! The threads of what stands between a Backend and its Runtimes.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// One set of threads for all proxies, peers and fakes of a test program.
///
/// They are not those of any test: a test whose time is paused, that blocks, or that has ended its
/// own runtime does not stop a peer that others talk to.
static ENGINE: OnceLock<Runtime> = OnceLock::new();

fn engine() -> &'static Runtime {
    ENGINE.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("testkit peers")
            .enable_all()
            .build()
            .expect("a test can have threads")
    })
}

/// Starts a task on the shared threads. It ends when what is returned is dropped.
pub(crate) fn spawn<F>(task: F) -> Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Task(engine().spawn(task))
}

/// Runs something on the shared threads, and waits for it.
///
/// Sockets that a peer uses are made this way: a socket belongs to the threads it was made on.
pub(crate) async fn run<F>(task: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut task = spawn(task);
    match (&mut task.0).await {
        Ok(output) => output,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(cancelled) => panic!("the testkit's own threads ended: {cancelled}"),
        },
    }
}

/// A task that ends when this is dropped.
#[derive(Debug)]
#[must_use = "the task ends when this is dropped"]
pub(crate) struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
