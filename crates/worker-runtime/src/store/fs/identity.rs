//! What store this is: written once, and read before anything else.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yoi_protocol::RuntimeId;

use super::disk::Disk;
use super::error::OpenError;
use super::line::{Kind, Line};
use super::name::{IDENTITY, unfinished};

/// The format that this version writes, and the latest that it reads.
pub(super) const FORMAT: u32 = 1;
/// The salt of what must be readable before the store is known.
pub(super) const NO_SALT: u32 = 0;
/// No identity is longer.
const MAX_BYTES: usize = 4096;

/// What store this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) format: u32,
    pub(super) store: Uuid,
    pub(super) runtime: RuntimeId,
}

/// What every format has in common.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Identity {
    pub(super) fn new(runtime: RuntimeId) -> Self {
        Self {
            format: FORMAT,
            store: Uuid::now_v7(),
            runtime,
        }
    }

    /// The identity of the store that is there; `None` where there is none.
    pub(super) fn read(disk: &dyn Disk) -> Result<Option<Self>, OpenError> {
        let file = match disk.open(IDENTITY) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OpenError::io("opening STORE")(error)),
        };
        let mut bytes = vec![0; MAX_BYTES];
        let size = file
            .read_at(&mut bytes, 0)
            .map_err(OpenError::io("reading STORE"))?;
        Self::parse(&bytes[..size]).map(Some)
    }

    fn parse(bytes: &[u8]) -> Result<Self, OpenError> {
        let damaged = || OpenError::damaged(IDENTITY, 0, "this is not the name of a store");
        let line = bytes.strip_suffix(b"\n").ok_or_else(damaged)?;
        let line = Line::parse(NO_SALT, line).ok_or_else(damaged)?;
        let Format { format } = serde_json::from_slice(line.json).map_err(|_| damaged())?;
        if format > FORMAT {
            return Err(OpenError::Newer {
                found: format,
                known: FORMAT,
            });
        }
        let identity = serde_json::from_slice(line.json).map_err(|_| damaged())?;
        match line.kind {
            Kind::Identity => Ok(identity),
            _ => Err(damaged()),
        }
    }

    /// Makes this the store of the folder: wholly, or not at all.
    pub(super) fn write(&self, disk: &dyn Disk) -> Result<(), OpenError> {
        let json = serde_json::to_vec(self).map_err(|_| OpenError::Unusable {
            doing: "writing STORE",
            kind: std::io::ErrorKind::InvalidData,
        })?;
        let line = Line {
            kind: Kind::Identity,
            lsn: 0,
            index: 0,
            json: &json,
        };
        let mut bytes = Vec::new();
        line.write(NO_SALT, &mut bytes);
        let name = unfinished(IDENTITY);
        let written = || -> std::io::Result<()> {
            let file = disk.create(&name)?;
            file.write_at(&bytes, 0)?;
            file.sync()?;
            disk.rename(&name, IDENTITY)?;
            disk.sync_folder()
        };
        written().map_err(OpenError::io("writing STORE"))
    }

    /// What lines of one segment are signed with.
    pub(super) fn salt(&self, segment: u32) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.store.as_bytes());
        hasher.update(&segment.to_le_bytes());
        hasher.finalize()
    }
}
