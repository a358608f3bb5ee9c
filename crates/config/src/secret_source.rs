//! Secrets that follow their files.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{Environment, Secret, SecretRef};

/// The largest file that is taken for a secret, in bytes.
const MAX_BYTES: u64 = 65_536;

/// Why a secret cannot be had. Names the variable, never a path or a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("names the variable {0}, which is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("names a file that cannot be read: {0}")]
    Unreadable(ErrorKind),
    /// The file is not a text.
    #[error("names a file that is not UTF-8")]
    NotText,
    /// The file is too large to be a secret.
    #[error("names a file of more than 65536 bytes")]
    TooLarge,
    /// There is nothing in it.
    #[error("refers to an empty secret")]
    Empty,
}

/// A secret that was found once and is kept up to date.
///
/// A file is looked at (one `stat`) when the secret is asked for, but at most once a second, and
/// read again when it was replaced or changed, so that a rotation needs no restart. While the new
/// file cannot be read, the last good secret stays.
pub struct SecretSource {
    path: Option<PathBuf>,
    look_every: Duration,
    held: Mutex<Held>,
}

struct Held {
    secret: Secret,
    stamp: Option<Stamp>,
    looked_at: Instant,
}

/// How often to look at a file unless told otherwise.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Which content of a file was read.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl SecretSource {
    /// Finds the secret. Variables are taken from `environment`.
    ///
    /// # Errors
    /// When it is not there, or empty: a server learns that at start, not at its first request.
    pub fn open(reference: &SecretRef, environment: &Environment) -> Result<Self, SecretError> {
        match reference {
            SecretRef::Env(name) => {
                let text = environment
                    .get(name)
                    .ok_or_else(|| SecretError::NotSet(name.clone()))?;
                if text.is_empty() {
                    return Err(SecretError::Empty);
                }
                Ok(Self::fixed(Secret::new(text)))
            }
            SecretRef::File(path) => Ok(Self {
                held: Mutex::new(read(path)?),
                look_every: LOOK_EVERY,
                path: Some(path.clone()),
            }),
        }
    }

    /// A secret that never changes.
    #[must_use]
    pub fn fixed(secret: Secret) -> Self {
        Self {
            path: None,
            look_every: LOOK_EVERY,
            held: Mutex::new(Held {
                secret,
                stamp: None,
                looked_at: Instant::now(),
            }),
        }
    }

    /// The same secret, whose file is looked at only so often.
    #[must_use]
    pub fn looked_at_every(mut self, time: Duration) -> Self {
        self.look_every = time;
        self
    }

    /// The secret as it is now, or was a second ago.
    #[must_use]
    pub fn current(&self) -> Secret {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &self.path
            && held.looked_at.elapsed() >= self.look_every
        {
            held.looked_at = Instant::now();
            let stamp = path.metadata().ok().map(|data| Stamp::of(&data));
            if stamp.is_some()
                && stamp != held.stamp
                && let Ok(fresh) = read(path)
            {
                *held = fresh;
            }
        }
        held.secret.clone()
    }

    /// Reads the secret again, whether or not its file seems changed. True when it is another.
    ///
    /// # Errors
    /// When it cannot be read now; the last good secret stays.
    pub fn refresh(&self) -> Result<bool, SecretError> {
        let Some(path) = &self.path else {
            return Ok(false);
        };
        let fresh = read(path)?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = !fresh.secret.matches(held.secret.expose().as_bytes());
        *held = fresh;
        Ok(changed)
    }
}

fn read(path: &Path) -> Result<Held, SecretError> {
    let unreadable = |error: std::io::Error| SecretError::Unreadable(error.kind());
    let file = File::open(path).map_err(unreadable)?;
    let stamp = Stamp::of(&file.metadata().map_err(unreadable)?);
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(SecretError::TooLarge);
    }
    let text = String::from_utf8(bytes).map_err(|_| SecretError::NotText)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(SecretError::Empty);
    }
    Ok(Held {
        secret: Secret::new(text),
        stamp: Some(stamp),
        looked_at: Instant::now(),
    })
}

impl Stamp {
    fn of(data: &Metadata) -> Self {
        Self {
            device: data.dev(),
            inode: data.ino(),
            length: data.len(),
            seconds: data.mtime(),
            nanoseconds: data.mtime_nsec(),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretSource(…)")
    }
}
