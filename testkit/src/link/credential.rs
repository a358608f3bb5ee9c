//! The credential that a Backend shows on the way to the Runtime.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::NamedTempFile;
use yoi_config::{Environment, SecretRef, SecretSource};

use super::head::Head;

/// A Backend reads its credential again only when it is told to: so a rotation is met, not seen
/// coming.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// What a Backend shows is a credential for the proxy, which shows the Runtime's own in its place.
/// So it can be another from one moment to the next, with any Runtime.
pub(super) struct Credential {
    /// What the Runtime wants.
    real: Option<String>,
    /// Where a Backend reads what to show.
    file: NamedTempFile,
    /// What was good at some time, the latest last.
    issued: Mutex<Vec<String>>,
}

impl Credential {
    /// Shows the Runtime what it wants; until a rotation a Backend shows the same.
    pub(super) fn new(real: Option<String>) -> Self {
        let first = real.clone().unwrap_or_else(|| "credential-0".to_owned());
        let credential = Self {
            real,
            file: NamedTempFile::new().expect("a test can have a file"),
            issued: Mutex::default(),
        };
        credential.issue(first);
        credential
    }

    /// What a Backend is to show.
    pub(super) fn source(&self) -> Arc<SecretSource> {
        let file = SecretRef::File(self.file.path().to_owned());
        let source = SecretSource::open(&file, &Environment::default())
            .expect("the file was written, and it is not empty");
        Arc::new(source.looked_at_every(NEVER))
    }

    /// A new one is good from now on, and there to be read.
    pub(super) fn rotate(&self) {
        let next = format!("credential-{}", self.lock().len());
        self.issue(next);
    }

    fn issue(&self, text: String) {
        std::fs::write(self.file.path(), &text).expect("the file is the test's own");
        self.lock().push(text);
    }

    /// Whether a request shows the latest.
    pub(super) fn is_latest(&self, asked: &Head) -> bool {
        shown(asked) == self.lock().last().map(String::as_str)
    }

    /// Puts the Runtime's own in the place of any that was good at some time. Another one is passed
    /// on: it is the Runtime that refuses it.
    pub(super) fn translate(&self, asked: &mut Head) {
        let ours = shown(asked).is_some_and(|token| self.lock().iter().any(|one| one == token));
        match &self.real {
            _ if !ours => {}
            Some(real) => asked.set("authorization", format!("Bearer {real}")),
            None => asked.remove("authorization"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(asked: &Head) -> Option<&str> {
    asked.header("authorization")?.strip_prefix("Bearer ")
}
