//! Which key a command carries to its Runtime. The Backend itself keeps none.

use sha2::{Digest, Sha256};
use yoi_protocol::{Capability, Failure, IdempotencyKey, Origin};

use crate::handle::ForwardedKey;

/// The key of a command: the caller's, hashed together with who it is, or one that is minted.
///
/// `honoured` says whether the Runtime is known to take keys; `None` while it was never seen. A
/// Runtime that is known not to gets none.
///
/// # Errors
/// `operation_unsupported` for a caller's key where the Runtime takes none.
pub(crate) fn forwarded(
    principal: &str,
    key: Option<&IdempotencyKey>,
    honoured: Option<bool>,
) -> Result<Option<ForwardedKey>, Failure> {
    match (key, honoured) {
        (Some(_), Some(false)) => {
            let lacking = Failure::unsupported(Capability::IDEMPOTENCY.as_str());
            Err(lacking.by(Origin::Runtime))
        }
        (None, Some(false)) => Ok(None),
        (Some(key), Some(true) | None) => Ok(Some(ForwardedKey {
            key: hashed(principal, key),
            from_caller: true,
            honoured: honoured.unwrap_or(false),
        })),
        (None, Some(true) | None) => Ok(Some(ForwardedKey {
            key: minted(),
            from_caller: false,
            honoured: honoured.unwrap_or(false),
        })),
    }
}

/// SHA-256 in hex over the length-prefixed principal and key: keys of two callers never meet, and
/// no Runtime learns either.
fn hashed(principal: &str, key: &IdempotencyKey) -> IdempotencyKey {
    use std::fmt::Write;
    let mut hash = Sha256::new();
    for part in [principal, key.as_str()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(hex, "{byte:02x}");
    }
    IdempotencyKey::parse(&hex).expect("64 hex digits are a key")
}

fn minted() -> IdempotencyKey {
    let id = uuid::Uuid::now_v7().to_string();
    IdempotencyKey::parse(&id).expect("a UUID is a key")
}

#[cfg(test)]
mod tests;
