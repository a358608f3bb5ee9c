//! Where a Backend is led astray: the way it takes to the proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Uri;
use yoi_client::transport::{Request, Response, TransportFault, Upgrade};
use yoi_client::{HttpTransport, Transport};

use super::head::operation;
use super::shared::Shared;
use crate::fault::Elsewhere;

/// The machine's own network, with another address for those to whom a fault happens. So a name
/// that does not resolve is one, and can be undone.
pub(super) struct Detour {
    shared: Arc<Shared>,
    proxy: SocketAddr,
    network: HttpTransport,
}

impl Detour {
    pub(super) fn new(shared: Arc<Shared>, proxy: SocketAddr, connect: Duration) -> Self {
        Self {
            shared,
            proxy,
            network: HttpTransport::plain(connect)
                .expect("plain HTTP needs nothing of the machine"),
        }
    }

    /// The request, where it is sent now.
    async fn lead(&self, mut request: Request) -> Request {
        let Some(place) = self.elsewhere(&request) else {
            return request;
        };
        let (scheme, authority) = place.authority(self.proxy).await;
        let mut parts = request.uri.into_parts();
        parts.scheme = Some(scheme.parse().expect("a scheme"));
        parts.authority = Some(authority.parse().expect("an authority"));
        request.uri = Uri::from_parts(parts).expect("a whole URI");
        request
    }

    fn elsewhere(&self, request: &Request) -> Option<Elsewhere> {
        let target = request.uri.path_and_query()?.as_str();
        let operation = operation(request.method.as_str(), target);
        // The proxy notes what comes to it; this is for what does not.
        let line = format!("{} {target}", request.method);
        self.shared.astray(line, operation)
    }
}

#[async_trait]
impl Transport for Detour {
    async fn send(&self, request: Request) -> Result<Response, TransportFault> {
        self.network.send(self.lead(request).await).await
    }

    async fn upgrade(&self, request: Request) -> Result<Upgrade, TransportFault> {
        self.network.upgrade(self.lead(request).await).await
    }
}
