//! Sealing: texts that a client carries for the Backend and can neither read nor forge.
//!
//! AES-SIV (RFC 5297), so that sealing is deterministic: one content under one key is one text.
//! Every purpose has a subkey of its own and is the associated data, so a text that was sealed
//! for one purpose never opens for another.

use std::fmt;

use aes_siv::aead::Generate;
use aes_siv::siv::Aes256Siv;
use aes_siv::{Aes128SivAead, Key, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const CHECKSUM: usize = 4;
const TAG: usize = 16;

/// How many bytes a seal adds to its content, before base64.
pub(crate) const OVERHEAD: usize = 1 + KEY_ID + TAG + CHECKSUM;

/// What a sealed text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A position in a Worker's events.
    Cursor,
    /// A position in the list of all Workers.
    Page,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Cursor => b"yoi cursor v1",
            Self::Page => b"yoi page v1",
        }
    }
}

/// Why a text does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    /// No server with such keys could have made it: forged, truncated or garbled.
    #[error("not a text that this server could have sealed")]
    Invalid,
    /// It may be genuine, but its key is not here any more.
    #[error("sealed by a key that is not here")]
    UnknownKey,
}

/// A text that is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor key must be 32 bytes in base64")]
pub struct SealKeyError;

/// One key of a [`KeyRing`]: 32 bytes. `Debug` shows only its public id.
#[derive(Clone)]
pub struct SealKey {
    id: [u8; KEY_ID],
    kdf: Hkdf<Sha256>,
}

impl SealKey {
    /// A random key, for a process whose cursors need not outlive it.
    #[must_use]
    pub fn random() -> Self {
        Self::derive(&Key::<Aes128SivAead>::generate())
    }

    /// Takes 32 bytes in standard or URL-safe base64.
    ///
    /// # Errors
    /// [`SealKeyError`], which never repeats the text.
    pub fn from_base64(text: &str) -> Result<Self, SealKeyError> {
        let text = text.trim();
        let bytes = STANDARD
            .decode(text)
            .or_else(|_| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')))
            .map_err(|_| SealKeyError)?;
        if bytes.len() == 32 {
            Ok(Self::derive(&bytes))
        } else {
            Err(SealKeyError)
        }
    }

    fn derive(secret: &[u8]) -> Self {
        let kdf = Hkdf::<Sha256>::new(None, secret);
        let mut id = [0; KEY_ID];
        kdf.expand(b"yoi key id v1", &mut id)
            .expect("a few bytes are never too many for HKDF");
        Self { id, kdf }
    }

    fn cipher(&self, purpose: Purpose) -> Aes256Siv {
        let mut subkey = Key::<aes_siv::Aes256SivAead>::default();
        self.kdf
            .expand(purpose.label(), &mut subkey)
            .expect("64 bytes are never too many for HKDF");
        Aes256Siv::new(&subkey)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({:02x?})", self.id)
    }
}

/// The keys of a Backend: the first seals, all open.
///
/// Any Backend that has the key takes what another sealed with it, also after a restart. To
/// rotate, add the new key second everywhere, then move it first.
#[derive(Debug, Clone)]
pub struct KeyRing {
    sealing: SealKey,
    opening: Vec<SealKey>,
}

impl KeyRing {
    /// A ring that seals with `first` and opens what `first` and `others` sealed.
    #[must_use]
    pub fn new(first: SealKey, others: Vec<SealKey>) -> Self {
        Self {
            sealing: first,
            opening: others,
        }
    }

    /// A ring of one random key.
    #[must_use]
    pub fn random() -> Self {
        Self::new(SealKey::random(), Vec::new())
    }

    /// Seals `content` into URL-safe base64 of `OVERHEAD` more bytes.
    pub(crate) fn seal(&self, purpose: Purpose, content: &[u8]) -> String {
        let sealed = self
            .sealing
            .cipher(purpose)
            .encrypt([purpose.label()], content)
            .expect("one header and a short content are within SIV's limits");
        let mut bytes = Vec::with_capacity(content.len() + OVERHEAD);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.sealing.id);
        bytes.extend_from_slice(&sealed);
        let checksum = checksum(purpose, &bytes);
        bytes.extend_from_slice(&checksum);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Opens what [`seal`](Self::seal) made under any key of the ring.
    ///
    /// The checksum needs no key: a text that was cut or garbled is told from one whose key is
    /// gone even where the key is gone.
    pub(crate) fn open(&self, purpose: Purpose, text: &str) -> Result<Vec<u8>, OpenError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| OpenError::Invalid)?;
        if bytes.len() < OVERHEAD {
            return Err(OpenError::Invalid);
        }
        let (body, check) = bytes.split_at(bytes.len() - CHECKSUM);
        if checksum(purpose, body) != check || body[0] != VERSION {
            return Err(OpenError::Invalid);
        }
        let (head, sealed) = body.split_at(1 + KEY_ID);
        let mut error = OpenError::UnknownKey;
        for key in std::iter::once(&self.sealing).chain(&self.opening) {
            if key.id != head[1..] {
                continue;
            }
            match key.cipher(purpose).decrypt([purpose.label()], sealed) {
                Ok(content) => return Ok(content),
                Err(_) => error = OpenError::Invalid,
            }
        }
        Err(error)
    }
}

fn checksum(purpose: Purpose, bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut hash = Sha256::new();
    hash.update(purpose.label());
    hash.update(bytes);
    let hash = hash.finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

#[cfg(test)]
mod tests;
