//! The credential of a remote Runtime.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use yoi_client::{Credential, SecretString};
use yoi_config::SecretSource;

/// How many credentials of the past are still hidden in texts: one that was replaced a moment
/// ago may still stand in an answer under way.
const CREDENTIALS_REMEMBERED: usize = 4;

/// The token of one Runtime, and which tokens it has been.
pub(super) struct Token {
    source: Arc<SecretSource>,
    seen: Mutex<VecDeque<String>>,
}

impl Token {
    pub(super) fn new(source: Arc<SecretSource>) -> Self {
        let token = Self {
            source,
            seen: Mutex::default(),
        };
        token.current();
        token
    }

    fn current(&self) -> SecretString {
        let secret = self.source.current();
        let text = secret.expose();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.back().is_none_or(|last| last != text) {
            seen.push_back(text.to_owned());
            if seen.len() > CREDENTIALS_REMEMBERED {
                seen.pop_front();
            }
        }
        SecretString::from(text.to_owned())
    }

    /// The token and those before it: what must not be seen in texts.
    pub(super) fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().cloned().collect()
    }
}

#[async_trait]
impl Credential for Token {
    async fn token(&self) -> Option<SecretString> {
        Some(self.current())
    }

    async fn refresh(&self) -> bool {
        self.source.refresh().unwrap_or(false)
    }
}
