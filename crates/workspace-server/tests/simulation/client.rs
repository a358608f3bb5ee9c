//! How the clients of a run reach its Backends.

use std::sync::Arc;
use std::time::Duration;

use yoi_client::{Client, RetryPolicy, Timeouts, Workers};
use yoi_protocol::{Api, Code, Failure, RuntimeId};

use super::ledger::Ledger;
use super::net::{Open, Secrets, Simulated};
use super::world;

/// A machine of people, and what they know.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) name: String,
    pub(crate) backends: usize,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) ledger: Arc<Ledger>,
}

impl Desk {
    pub(crate) fn client(&self, backend: usize) -> Client {
        let retry = if fastrand::bool() {
            RetryPolicy::default()
        } else {
            RetryPolicy::NEVER
        };
        Client::builder(&format!("http://{}", world::backend(backend)))
            .unwrap()
            .transport(Arc::new(Simulated {
                connect: Duration::from_secs(1),
                secrets: Some(Arc::clone(&self.secrets)),
                open: Open::default(),
            }))
            .timeouts(Timeouts {
                connect: Duration::from_secs(1),
                response: Duration::from_secs(3),
                request: Duration::from_secs(4),
            })
            .retry(retry)
            .idle(Duration::from_secs(4))
            .build()
            .unwrap()
    }

    /// The Workers of a Runtime, by any of the Backends.
    pub(crate) fn workers(&self, runtime: &RuntimeId) -> Workers {
        let backend = fastrand::usize(..self.backends);
        self.client(backend).workers(Api::Backend(runtime.clone()))
    }

    pub(crate) fn trace(&self, what: impl std::fmt::Display) {
        self.ledger.trace(&self.name, what);
    }

    /// Some failures are what a bad network, or a machine that is not there, brings. All others
    /// tell of something that is wrong in truth.
    pub(crate) fn bears(&self, failure: &Failure) {
        assert!(
            matches!(
                failure.code,
                Code::RuntimeUnreachable
                    | Code::RuntimeTimedOut
                    | Code::RuntimeUnavailable
                    | Code::TimedOut
                    | Code::Unavailable
                    | Code::StoreFailed
            ),
            "{}: {failure:?}",
            self.name
        );
    }
}

/// A while of simulated time, never the same.
pub(crate) async fn pause(up_to_ms: u64) {
    let pause = Duration::from_millis(fastrand::u64(0..up_to_ms));
    tokio::time::sleep(pause).await;
}
