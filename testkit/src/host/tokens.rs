//! What a server wants to be shown.

use std::sync::{Arc, Mutex, PoisonError};

use yoi_http_kit::TokenSet;

/// The tokens that a server takes, by the names of their holders.
pub(crate) fn token_set<'a>(tokens: impl Iterator<Item = (&'a str, Token)>) -> TokenSet {
    tokens.fold(TokenSet::open(), |set, (name, token)| {
        set.with(name, Arc::new(move || Some(token.get().into())))
    })
}

/// A bearer token that may change while its server runs.
#[derive(Clone)]
pub(crate) struct Token(Arc<Mutex<String>>);

impl Token {
    pub(crate) fn new(token: impl Into<String>) -> Self {
        Self(Arc::new(Mutex::new(token.into())))
    }

    pub(crate) fn get(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set(&self, token: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}
