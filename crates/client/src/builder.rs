//! How a client is put together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use yoi_protocol::RuntimeId;

use crate::base::BaseUrl;
use crate::client::{Client, Settings};
use crate::credential::Auth;
use crate::{Caps, Credential, HttpTransport, Perspective, RetryPolicy, Transport};

/// How long each part of a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands: resolving, connecting and TLS together.
    pub connect: Duration,
    /// Until the head of the answer, and between two pieces of its body.
    pub response: Duration,
    /// The whole call, over all attempts and the waits between them.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            response: Duration::from_secs(10),
            request: Duration::from_secs(15),
        }
    }
}

/// Why a client cannot be built. Says what is wrong, never with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientConfigError {
    /// Not a URL.
    #[error("the base URL must be an absolute URL with a host")]
    Address,
    /// Another scheme than the two.
    #[error("the base URL must start with http:// or https://")]
    Scheme,
    /// Credentials do not belong into an address.
    #[error("the base URL must not contain a user or password")]
    UserInfo,
    /// Nothing may follow the path.
    #[error("the base URL must have neither query nor fragment")]
    Query,
    /// The platform's trust anchors could not be set up.
    #[error("TLS cannot be set up on this machine: are CA certificates installed?")]
    Tls,
    /// The HTTP client could not be built.
    #[error("the HTTP client cannot be set up")]
    Transport,
}

/// Puts a [`Client`] together. Each setting has a default that is safe.
#[must_use = "nothing happens until build()"]
pub struct ClientBuilder {
    base: BaseUrl,
    credential: Option<Arc<dyn Credential>>,
    transport: Option<Arc<dyn Transport>>,
    settings: Settings,
    caps: Caps,
}

impl ClientBuilder {
    pub(crate) fn new(base_url: &str) -> Result<Self, ClientConfigError> {
        Ok(Self {
            base: BaseUrl::parse(base_url)?,
            credential: None,
            transport: None,
            settings: Settings {
                addressee: None,
                perspective: Perspective::Caller,
                timeouts: Timeouts::default(),
                retry: RetryPolicy::default(),
                idle: Duration::from_secs(60),
            },
            caps: Caps::default(),
        })
    }

    /// Sends a bearer token; without one, none is sent.
    pub fn credential(mut self, credential: Arc<dyn Credential>) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Names the Runtime that is meant in every request, and takes answers from no other.
    pub fn addressee(mut self, runtime_id: RuntimeId) -> Self {
        self.settings.addressee = Some(runtime_id);
        self
    }

    /// Whose words failures are told in. [`Perspective::Caller`] unless set.
    pub fn perspective(mut self, perspective: Perspective) -> Self {
        self.settings.perspective = perspective;
        self
    }

    /// How long each part of a call may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.settings.timeouts = timeouts;
        self
    }

    /// How often, and after what wait, a call is tried again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.settings.retry = retry;
        self
    }

    /// How long an event stream may be silent before it counts as lost; 60 seconds unless set.
    /// At half of that the client pings, so a server that lives is never silent for so long.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.settings.idle = idle;
        self
    }

    /// The largest answer body that is read, in bytes.
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.caps.answer_bytes = bytes;
        self
    }

    /// The largest frame that is read, in bytes.
    pub fn max_frame_bytes(mut self, bytes: usize) -> Self {
        self.caps.frame_bytes = bytes;
        self
    }

    /// Another way to the server than HTTP/1.1 over the machine's own network.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The client. Nothing is sent, nothing is resolved.
    ///
    /// # Errors
    /// [`ClientConfigError::Tls`] for an `https://` address on a machine without trust anchors.
    pub fn build(self) -> Result<Client, ClientConfigError> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                let connect = self.settings.timeouts.connect;
                Arc::new(if self.base.is_secure() {
                    HttpTransport::secure(connect)?
                } else {
                    HttpTransport::plain(connect)?
                })
            }
        };
        Ok(Client::assemble(
            self.base,
            transport,
            Auth::new(self.credential),
            self.settings,
            self.caps,
        ))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("settings", &self.settings)
            .field("caps", &self.caps)
            .finish_non_exhaustive()
    }
}
