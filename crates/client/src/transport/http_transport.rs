//! HTTP/1.1 over TCP and TLS, by reqwest with everything off that it would do unasked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use http::StatusCode;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::time::timeout_at;

use super::progress::{Progress, WatchConnect, WatchedBody};
use super::{Request, Response, Socket, Transport, TransportFault, Upgrade, fault};
use crate::ClientConfigError;

/// The machine's own network.
///
/// No redirect is followed, no proxy asked, nothing sent twice, nothing decompressed.
pub struct HttpTransport {
    client: reqwest::Client,
}

/// How long a connection is kept that nobody uses: well under what servers keep it. One that the
/// server closes as a request goes out costs that request, with an unknown effect.
const POOL_IDLE: Duration = Duration::from_secs(5);

impl HttpTransport {
    /// For `http://` addresses: trusts nobody, so `https://` never connects.
    ///
    /// # Errors
    /// [`ClientConfigError::Transport`]; not known to happen.
    pub fn plain(connect: Duration) -> Result<Self, ClientConfigError> {
        let tls = tls_builder()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Self::with_tls(connect, tls)
    }

    /// For `https://` addresses: trusts whom the platform trusts.
    ///
    /// # Errors
    /// [`ClientConfigError::Tls`] where the platform has no trust anchors.
    pub fn secure(connect: Duration) -> Result<Self, ClientConfigError> {
        let tls = tls_builder()?
            .with_platform_verifier()
            .map_err(|_| ClientConfigError::Tls)?
            .with_no_client_auth();
        Self::with_tls(connect, tls)
    }

    /// For `https://` addresses, trusting whom `tls` trusts.
    ///
    /// # Errors
    /// [`ClientConfigError::Transport`]; not known to happen.
    pub fn with_tls(connect: Duration, tls: ClientConfig) -> Result<Self, ClientConfigError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connector_layer(WatchConnect)
            .connect_timeout(connect)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .tcp_nodelay(true)
            .pool_idle_timeout(POOL_IDLE)
            .build()
            .map_err(|_| ClientConfigError::Transport)?;
        Ok(Self { client })
    }

    async fn exchange(&self, request: Request) -> Result<reqwest::Response, TransportFault> {
        let secure = request.uri.scheme_str() == Some("https");
        let progress = Arc::new(Progress::default());
        let url = reqwest::Url::parse(&request.uri.to_string()).map_err(|_| TransportFault::Dns)?;
        let mut outgoing = reqwest::Request::new(request.method, url);
        *outgoing.headers_mut() = request.headers;
        *outgoing.body_mut() = request
            .body
            .map(|body| reqwest::Body::wrap(WatchedBody::new(body, Arc::clone(&progress))));
        let exchange = progress.watch(self.client.execute(outgoing));
        match timeout_at(request.head_by, exchange).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(fault::of_head(&error, secure)),
            Err(_elapsed) => Err(progress.timed_out()),
        }
    }
}

fn tls_builder()
-> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, ClientConfigError> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| ClientConfigError::Tls)
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportFault> {
        self.exchange(request).await.map(into_response)
    }

    async fn upgrade(&self, request: Request) -> Result<Upgrade, TransportFault> {
        let head_by = request.head_by;
        let response = self.exchange(request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Upgrade::Refused(into_response(response)));
        }
        let headers = response.headers().clone();
        match timeout_at(head_by, response.upgrade()).await {
            Ok(Ok(upgraded)) => Ok(Upgrade::Opened {
                headers,
                socket: Socket::new(upgraded),
            }),
            Ok(Err(_)) => Err(TransportFault::Reset),
            Err(_elapsed) => Err(TransportFault::HeadTimedOut),
        }
    }
}

fn into_response(response: reqwest::Response) -> Response {
    Response {
        status: response.status(),
        headers: response.headers().clone(),
        body: Box::pin(
            response
                .bytes_stream()
                .map_err(|error| fault::of_body(&error)),
        ),
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpTransport(..)")
    }
}
