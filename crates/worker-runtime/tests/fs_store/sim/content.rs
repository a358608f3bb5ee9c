//! What is in a file, and how it changes.

/// The least that a disk writes: all of it, or nothing.
pub(crate) const SECTOR: u64 = 512;

/// The bytes of a file, and the room that they take.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// Which sectors take room: those that were written or allocated.
    taken: Vec<bool>,
}

/// One change of a file, which reaches the disk or does not.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// At least so long, for a write.
    Grow(u64),
    /// So long.
    Size(u64),
    /// At least so long, and no byte of it without room.
    Allocate(u64),
    /// A sector as it is read once it is written: what is beside the new bytes goes with them.
    Sector {
        start: u64,
        bytes: Box<[u8]>,
        /// Where the file ends, or the sector.
        end: u64,
    },
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// How many sectors it takes.
    pub(super) fn sectors(&self) -> u64 {
        self.taken.iter().filter(|taken| **taken).count() as u64
    }

    /// How many of the first `size` bytes' sectors take no room yet.
    pub(super) fn missing(&self, size: u64) -> u64 {
        let sectors = 0..size.div_ceil(SECTOR);
        sectors.filter(|sector| !self.takes(*sector)).count() as u64
    }

    /// How much of a write there is room for, when so many sectors are free.
    pub(super) fn fitting<'a>(&self, bytes: &'a [u8], offset: u64, mut free: u64) -> &'a [u8] {
        let end = offset + bytes.len() as u64;
        for sector in offset / SECTOR..end.div_ceil(SECTOR) {
            if self.takes(sector) {
                continue;
            }
            if free == 0 {
                return &bytes[..index((sector * SECTOR).saturating_sub(offset))];
            }
            free -= 1;
        }
        bytes
    }

    /// The sectors that a write changes, of a file that has grown for it.
    pub(super) fn written(&self, bytes: &[u8], offset: u64) -> Vec<Change> {
        let end = offset + bytes.len() as u64;
        let sectors = offset / SECTOR..end.div_ceil(SECTOR);
        sectors
            .map(|sector| {
                let start = sector * SECTOR;
                let sector_end = self.len().min(start + SECTOR);
                let mut sector = self.bytes[index(start)..index(sector_end)].to_vec();
                sector.resize(index(SECTOR), 0);
                let (from, until) = (offset.max(start), end.min(start + SECTOR));
                sector[index(from - start)..index(until - start)]
                    .copy_from_slice(&bytes[index(from - offset)..index(until - offset)]);
                Change::Sector {
                    start,
                    bytes: sector.into(),
                    end: sector_end,
                }
            })
            .collect()
    }

    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Grow(size) => self.grow(*size),
            Change::Size(size) => {
                self.bytes.resize(index(*size), 0);
                self.taken.truncate(index(size.div_ceil(SECTOR)));
            }
            Change::Allocate(size) => {
                self.grow(*size);
                (0..size.div_ceil(SECTOR)).for_each(|sector| self.take(sector));
            }
            Change::Sector { start, bytes, end } => {
                self.grow(*end);
                let until = self.len().min(start + SECTOR);
                self.bytes[index(*start)..index(until)]
                    .copy_from_slice(&bytes[..index(until - start)]);
                self.take(start / SECTOR);
            }
        }
    }

    fn grow(&mut self, size: u64) {
        if size > self.len() {
            self.bytes.resize(index(size), 0);
        }
    }

    fn takes(&self, sector: u64) -> bool {
        self.taken.get(index(sector)).is_some_and(|taken| *taken)
    }

    fn take(&mut self, sector: u64) {
        let sector = index(sector);
        if self.taken.len() <= sector {
            self.taken.resize(sector + 1, false);
        }
        self.taken[sector] = true;
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        let taken = vec![true; bytes.len().div_ceil(index(SECTOR))];
        Self { bytes, taken }
    }
}

pub(super) fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("fits in memory")
}
