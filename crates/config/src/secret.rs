//! A secret that does not show itself.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A text that never appears in `Debug`, has no `Display`, and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a text as a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Whoever asks sees to it that it goes nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The secret in the type that other crates keep secrets in.
    #[must_use]
    pub fn into_secret_string(self) -> SecretString {
        self.0
    }

    /// Whether `presented` is this secret. Takes the same time wherever they differ, and however
    /// long the secret is: hashes are compared, not texts.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> bool {
        let mine = Sha256::digest(self.expose().as_bytes());
        let theirs = Sha256::digest(presented);
        mine.as_slice().ct_eq(theirs.as_slice()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
