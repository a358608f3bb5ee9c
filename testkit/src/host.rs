//! Something of a process inside this one: it can be asked to end, and it can be killed.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use yoi_http_kit::{SecretString, TokenSet};
use yoi_protocol::RuntimeId;

use crate::eventually;

/// How long an orderly end may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server with threads of its own, so that killing it leaves nothing of it behind, whatever the
/// runtime of the test does meanwhile.
pub(crate) struct Host {
    what: String,
    address: SocketAddr,
    threads: Option<Runtime>,
    serving: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Host {
    /// Starts what `begin` makes, on a port that was free. `begin` is over when it is ready to
    /// serve; what it gives then serves until the token is cancelled.
    pub(crate) async fn start<B, S>(
        what: String,
        begin: impl FnOnce(TcpListener, SocketAddr, CancellationToken) -> B + Send + 'static,
    ) -> Self
    where
        B: Future<Output = S> + Send,
        S: Future<Output = ()> + Send + 'static,
    {
        let threads = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(&what)
            .enable_all()
            .build()
            .expect("a test can have threads");
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        let begun = threads.spawn(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .expect("loopback has a free port");
            let address = listener.local_addr().expect("a bound listener has one");
            let serving = begin(listener, address, token).await;
            (address, tokio::spawn(serving))
        });
        let (address, serving) = match begun.await {
            Ok(begun) => begun,
            Err(error) => {
                threads.shutdown_background();
                panic!("{what} does not start: {}", told(error));
            }
        };
        Self {
            what,
            address,
            threads: Some(threads),
            serving,
            shutdown,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks it to end, as SIGTERM would, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        match timeout(PATIENCE, &mut self.serving).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("{} ended badly: {}", self.what, told(error)),
            Err(_elapsed) => panic!("{} did not end within {PATIENCE:?}", self.what),
        }
    }

    /// Ends it between two instructions, as SIGKILL would, and waits until its port is closed.
    pub(crate) async fn kill(mut self) {
        self.end();
        let address = self.address;
        eventually(
            "the port of what was killed is closed",
            async || match TcpStream::connect(address).await {
                Err(_refused) => Ok(()),
                Ok(_) => Err("it still takes connections"),
            },
        )
        .await;
    }

    fn end(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a task that ended badly had to say.
fn told(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "it panicked".to_owned()),
        Err(cancelled) => cancelled.to_string(),
    }
}

/// The tokens that a server takes, by the names of their holders.
pub(crate) fn token_set<'a>(tokens: impl Iterator<Item = (&'a str, &'a str)>) -> TokenSet {
    tokens.fold(TokenSet::open(), |set, (name, token)| {
        let token = SecretString::from(token);
        set.with(name, Arc::new(move || Some(token.clone())))
    })
}

/// An id that a test has written down.
pub(crate) fn runtime_id(text: &str) -> RuntimeId {
    RuntimeId::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}
