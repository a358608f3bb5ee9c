//! A server of a test, and its address when it does not run.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use worker_runtime::Runtime;
use yoi_client::{Client, ClientBuilder, StaticToken};

use super::{Host, Port};

/// An address at which a server runs, from one start to the next end.
pub(crate) struct Server {
    port: Port,
    host: Mutex<Option<Host>>,
    inside: Inside,
}

/// The Runtimes inside the present start of a server.
#[derive(Clone, Default)]
pub(crate) struct Inside(Arc<Mutex<Vec<Runtime>>>);

impl Server {
    /// An address of its own, where nothing runs yet.
    pub(crate) fn reserve() -> Self {
        Self {
            port: Port::reserve(),
            host: Mutex::default(),
            inside: Inside::default(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub(crate) fn inside(&self) -> &Inside {
        &self.inside
    }

    /// A client of it that shows this token.
    pub(crate) fn client_builder(&self, token: Option<String>) -> ClientBuilder {
        let builder = Client::builder(&self.url()).expect("the URL of a test is one");
        match token {
            Some(token) => builder.credential(Arc::new(StaticToken::new(token))),
            None => builder,
        }
    }

    /// This is what runs there now.
    pub(crate) fn runs(&self, host: Host) {
        *lock(&self.host) = Some(host);
    }

    /// Ends it as SIGTERM does, if it runs.
    pub(crate) async fn stop(&self) {
        if let Some(host) = self.take() {
            host.stop().await;
        }
    }

    /// Ends it as SIGKILL does, if it runs.
    pub(crate) async fn kill(&self) {
        if let Some(host) = self.take() {
            host.kill().await;
        }
    }

    fn take(&self) -> Option<Host> {
        lock(&self.inside.0).clear();
        lock(&self.host).take()
    }
}

impl Inside {
    pub(crate) fn add(&self, runtime: Runtime) {
        lock(&self.0).push(runtime);
    }

    pub(crate) fn get(&self, id: &str) -> Option<Runtime> {
        let inside = lock(&self.0);
        inside
            .iter()
            .find(|runtime| runtime.id().as_str() == id)
            .cloned()
    }
}

/// A client as it was told to be.
pub(crate) fn built(client: ClientBuilder) -> Client {
    client
        .build()
        .expect("plain HTTP needs nothing of the machine")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
