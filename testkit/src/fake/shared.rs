//! What the stubs of a fake, its door and its front know together.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use wiremock::{Mock, MockServer};
use yoi_protocol::RuntimeId;

use super::gate::Gate;
use super::unexpected::{Unexpected, locked};
use super::upgrade::PendingUpgrade;

/// What the stubs of a fake and its front have in common.
pub(super) struct Shared {
    pub(super) gate: Gate,
    pub(super) unexpected: Arc<Unexpected>,
    pub(super) door: Mutex<Door>,
    pub(super) server: MockServer,
}

impl Shared {
    pub(super) fn id(&self) -> &RuntimeId {
        &self.gate.id
    }

    pub(super) fn server_address(&self) -> SocketAddr {
        *self.server.address()
    }

    pub(super) async fn mount(&self, mock: Mock) {
        self.server.register(mock).await;
    }
}

/// Where those who come are sent: to whoever holds the [`FakeEvents`].
#[derive(Debug, Default)]
pub(super) struct Door {
    pub(super) to: Option<mpsc::UnboundedSender<PendingUpgrade>>,
    /// The paths of those who are gone again: who comes there comes back.
    pub(super) gone: HashSet<String>,
}

/// Somebody is here for a Worker. When this is dropped they are gone.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    pub(super) path: String,
}

impl Drop for Visit {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.path);
        locked(&self.shared.door).gone.insert(path);
    }
}
