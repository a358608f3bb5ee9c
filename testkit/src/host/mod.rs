//! Something of a process inside this one: it can be asked to end, and it can be killed.

mod panics;
mod port;
mod server;
mod tokens;

use std::net::SocketAddr;
use std::thread;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use yoi_protocol::RuntimeId;

use crate::patience::PATIENCE;
use crate::verdict;

pub(crate) use panics::{Panics, text_of};
pub(crate) use port::Port;
pub(crate) use server::{Server, built};
pub(crate) use tokens::{Token, token_set};

/// A server with threads of its own, so that killing it leaves nothing of it behind, whatever the
/// runtime of the test does meanwhile.
///
/// What panics on its threads fails the test, at the latest when it is dropped.
pub(crate) struct Host {
    what: String,
    running: Option<Running>,
    panics: Panics,
    may_panic: bool,
}

/// What of it runs.
struct Running {
    threads: Runtime,
    serving: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Host {
    /// Starts what `begin` makes, at an address whose port is reserved. `begin` is over when it is
    /// ready to serve; what it gives then serves until the token is cancelled.
    ///
    /// With `may_panic`, nothing that panics on its threads fails the test.
    #[allow(
        clippy::async_yields_async,
        reason = "the start is over when it can serve; serving is another task"
    )]
    pub(crate) async fn start<B, S>(
        what: String,
        address: SocketAddr,
        may_panic: bool,
        begin: impl FnOnce(TcpListener, CancellationToken) -> B + Send + 'static,
    ) -> Self
    where
        B: Future<Output = S> + Send,
        S: Future<Output = ()> + Send + 'static,
    {
        let panics = Panics::watch(&what);
        let threads = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(panics.thread_name())
            .enable_all()
            .build()
            .expect("a test can have threads");
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        let begun = threads.spawn(async move {
            let listener = Port::listen(address)
                .unwrap_or_else(|error| panic!("cannot listen at {address}: {error}"));
            let serving = begin(listener, token).await;
            tokio::spawn(serving)
        });
        let serving = match begun.await {
            Ok(serving) => serving,
            Err(error) => {
                threads.shutdown_background();
                panic!("{what} does not start: {}", told(error));
            }
        };
        Self {
            what,
            running: Some(Running {
                threads,
                serving,
                shutdown,
            }),
            panics,
            may_panic,
        }
    }

    /// Asks it to end, as SIGTERM would, and waits until nothing of it is left.
    pub(crate) async fn stop(mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        let ended = blocking(move || {
            running.shutdown.cancel();
            let Running {
                threads, serving, ..
            } = running;
            // On the host's own time: that of the test may stand still.
            let ended = threads.block_on(async { timeout(PATIENCE, serving).await });
            threads.shutdown_timeout(PATIENCE);
            ended
        });
        match ended.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("{} ended badly: {}", self.what, told(error)),
            Err(_elapsed) => panic!("{} did not end within {PATIENCE:?}", self.what),
        }
    }

    /// Ends it between two instructions, as SIGKILL would, and waits until nothing of it is left.
    pub(crate) async fn kill(mut self) {
        if let Some(running) = self.running.take() {
            blocking(move || running.threads.shutdown_timeout(PATIENCE)).await;
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.threads.shutdown_background();
        }
        let panicked = self.panics.take();
        if self.may_panic || panicked.is_empty() {
            return;
        }
        let (what, panicked) = (&self.what, panicked.join("\n"));
        verdict::fail(&format!(
            "{what} panicked in the background (builders have may_panic() for tests that want \
             this):\n{panicked}"
        ));
    }
}

/// Waits for what blocks, on a thread of its own.
async fn blocking<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, when) = oneshot::channel();
    thread::spawn(move || {
        // A test that is gone need not know.
        let _ = done.send(what());
    });
    when.await.expect("ending a host does not panic")
}

/// What a task that ended badly had to say.
fn told(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => text_of(&*payload).to_owned(),
        Err(cancelled) => cancelled.to_string(),
    }
}

/// An id that a test has written down.
pub(crate) fn runtime_id(text: &str) -> RuntimeId {
    RuntimeId::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}
