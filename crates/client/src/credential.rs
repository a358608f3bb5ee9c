//! Who the client says it is.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::Mutex;

/// Where the bearer token comes from. It is asked before every request, so what it gives may
/// change at any time; it should answer from memory.
#[async_trait]
pub trait Credential: Send + Sync {
    /// The token as it is now; `None` sends none.
    async fn token(&self) -> Option<SecretString>;

    /// Reads the token again from where it is kept, and says whether it is another one now.
    ///
    /// Asked once after a 401, by one call at a time.
    async fn refresh(&self) -> bool;
}

/// A token that never changes.
#[derive(Clone)]
pub struct StaticToken(SecretString);

impl StaticToken {
    /// The token, without `Bearer`.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(SecretString::from(token.into()))
    }
}

impl fmt::Debug for StaticToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaticToken(..)")
    }
}

#[async_trait]
impl Credential for StaticToken {
    async fn token(&self) -> Option<SecretString> {
        Some(self.0.clone())
    }

    async fn refresh(&self) -> bool {
        false
    }
}

/// The credential of one client, refreshed by one call at a time.
pub(crate) struct Auth {
    credential: Option<Arc<dyn Credential>>,
    /// How often it was read again.
    rounds: AtomicU64,
    /// Whether the last round found another token. Held while one is under way.
    changed: Mutex<bool>,
}

impl Auth {
    pub(crate) fn new(credential: Option<Arc<dyn Credential>>) -> Self {
        Self {
            credential,
            rounds: AtomicU64::new(0),
            changed: Mutex::new(false),
        }
    }

    /// The token, and the round it is of: to be handed to [`refresh`](Self::refresh) if the token
    /// is refused.
    pub(crate) async fn token(&self) -> (Option<SecretString>, u64) {
        // The round is read first: a token that changes in between only costs one request more.
        let round = self.rounds.load(Ordering::Acquire);
        let token = match &self.credential {
            Some(credential) => credential.token().await,
            None => None,
        };
        (token, round)
    }

    /// Whether there is another token than the one of `round`, which was refused. However many
    /// calls are refused at the same time, it is read again once, and all get that result.
    pub(crate) async fn refresh(&self, round: u64) -> bool {
        let Some(credential) = &self.credential else {
            return false;
        };
        let mut changed = self.changed.lock().await;
        if self.rounds.load(Ordering::Acquire) == round {
            *changed = credential.refresh().await;
            self.rounds.fetch_add(1, Ordering::Release);
        }
        *changed
    }
}
