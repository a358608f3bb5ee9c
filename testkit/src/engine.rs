//! The threads of what stands between a Backend and its Runtimes.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

use crate::host::Panics;
use crate::verdict;

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

/// Starts a task on the shared threads. It ends when what is returned is dropped, which fails the
/// test if the task has panicked, or one that it began with [`minded`].
pub(crate) fn spawn<F>(task: F) -> Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let panics = Panics::of_tasks();
    Task {
        running: engine().spawn(panics.mind(task)),
        panics: Some(panics),
    }
}

/// A task that is begun by another: what panics there is the affair of the other's owner.
pub(crate) fn minded<F: Future>(task: F) -> impl Future<Output = F::Output> {
    Panics::inherited().mind(task)
}

/// Starts a task that runs to its own end, with nobody to mind it.
pub(crate) fn leave<F>(task: F)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    drop(engine().spawn(task));
}

/// Runs something by the machine's clock, also where the test has paused its own, and gives what it
/// gives. A panic in it goes on in the test.
///
/// A paused clock leaps whenever the test has nothing left to do but wait. Everything of the testkit
/// waits by the machine's, but a typed client that the test calls has its deadlines by the test's
/// own, so each of its calls would be over at once.
///
/// ```
/// use yoi_client::Call;
/// use yoi_testkit::{TestRuntime, in_real_time};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runtime = TestRuntime::start().await;
/// let client = runtime.client();
/// let info = in_real_time(async move { client.runtime_info(&Call::default()).await });
/// assert_eq!(info.await.unwrap().value.runtime_id.as_str(), "test");
/// # }
/// ```
pub async fn in_real_time<F>(task: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    run(task).await
}

/// Runs something on the shared threads, and waits for it. A panic there goes on here.
///
/// Sockets that a peer uses are made this way: a socket belongs to the threads it was made on. So
/// is what must keep time by the machine's clock.
pub(crate) async fn run<F>(task: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut task = spawn(task);
    match task.ended().await {
        Ok(output) => output,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(cancelled) => panic!("the testkit's own threads ended: {cancelled}"),
        },
    }
}

/// A task that ends when this is dropped.
#[must_use = "the task ends when this is dropped"]
pub(crate) struct Task<T> {
    running: JoinHandle<T>,
    panics: Option<Panics>,
}

impl<T> Task<T> {
    /// How it ended: whoever asks is told of a panic here, and by nothing else.
    pub(crate) async fn ended(&mut self) -> Result<T, JoinError> {
        let ended = (&mut self.running).await;
        self.panics = None;
        ended
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.running.is_finished()
    }

    /// Cuts it short.
    pub(crate) fn abort(&self) {
        self.running.abort();
    }

    /// Lets it panic: for a task whose end nobody minds.
    pub(crate) fn may_panic(mut self) -> Self {
        self.panics = None;
        self
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.running.abort();
        let panicked = self.panics.as_ref().map(Panics::take).unwrap_or_default();
        if !panicked.is_empty() {
            let panicked = panicked.join("\n");
            verdict::fail(&format!("a peer panicked in the background:\n{panicked}"));
        }
    }
}

#[cfg(test)]
mod tests;
