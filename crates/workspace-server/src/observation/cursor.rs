//! The Backend's own cursors: a Runtime's cursor, sealed together with whose it is.

use sha2::{Digest, Sha256};
use yoi_protocol::{Code, Cursor, Failure, RuntimeId, WorkerId};

use crate::seal::{KeyRing, OpenError, Purpose};

const OWNER: usize = 16;

/// Seals and opens the cursors of one Worker.
#[derive(Debug, Clone)]
pub(crate) struct CursorSeal {
    keys: KeyRing,
    owner: [u8; OWNER],
}

impl CursorSeal {
    pub(crate) fn new(keys: &KeyRing, runtime_id: &RuntimeId, worker_id: &WorkerId) -> Self {
        Self {
            keys: keys.clone(),
            owner: owner(runtime_id, worker_id),
        }
    }

    /// The Backend's cursor for a Runtime's; the same text for the same position, always.
    ///
    /// # Errors
    /// `runtime_protocol_error` when the Runtime's is longer than the contract allows.
    pub(crate) fn seal(&self, upstream: &Cursor) -> Result<Cursor, Failure> {
        let upstream = upstream.as_str();
        if upstream.len() > Cursor::RUNTIME_MAX {
            return Err(crate::handle::protocol_error());
        }
        let mut content = Vec::with_capacity(OWNER + upstream.len());
        content.extend_from_slice(&self.owner);
        content.extend_from_slice(upstream.as_bytes());
        let text = self.keys.seal(Purpose::Cursor, &content);
        Ok(Cursor::parse(&text)
            .expect("a seal of at most 169 bytes is at most 226 safe characters"))
    }

    /// The Runtime's cursor inside a Backend's.
    ///
    /// # Errors
    /// `cursor_invalid` for what no Backend could have made, `cursor_unknown` for another
    /// Worker's cursor or one of a key that is gone.
    pub(crate) fn open(&self, text: &str) -> Result<Cursor, Failure> {
        let content = self
            .keys
            .open(Purpose::Cursor, text)
            .map_err(|error| match error {
                OpenError::Invalid => Failure::new(Code::CursorInvalid),
                OpenError::UnknownKey => Failure::new(Code::CursorUnknown),
            })?;
        let (owner, upstream) = content
            .split_at_checked(OWNER)
            .ok_or_else(|| Failure::new(Code::CursorInvalid))?;
        if owner != self.owner {
            return Err(Failure::new(Code::CursorUnknown));
        }
        std::str::from_utf8(upstream)
            .ok()
            .and_then(|text| Cursor::parse(text).ok())
            .ok_or_else(|| Failure::new(Code::CursorInvalid))
    }
}

/// A hash keeps the cursor short whatever the lengths of the ids.
fn owner(runtime_id: &RuntimeId, worker_id: &WorkerId) -> [u8; OWNER] {
    let mut hash = Sha256::new();
    // Ids hold no slash, so no two pairs write the same bytes.
    hash.update(runtime_id.as_str());
    hash.update(b"/");
    hash.update(worker_id.as_str());
    let hash = hash.finalize();
    let mut owner = [0; OWNER];
    owner.copy_from_slice(&hash[..OWNER]);
    owner
}

#[cfg(test)]
mod tests;
