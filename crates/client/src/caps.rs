//! How much of an answer is read.

use std::sync::atomic::{AtomicUsize, Ordering};

use yoi_protocol::Limits;

/// The most that is read of what a server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// The largest body of an answer, in bytes.
    pub answer_bytes: usize,
    /// The largest frame of an observation, in bytes.
    pub frame_bytes: usize,
}

/// What an answer needs beside its largest item: ids, times, field names.
const ENVELOPE_BYTES: u64 = 256 * 1024;
/// One byte of content takes at most six in JSON: `\u0001`.
const WORST_ESCAPE: u64 = 6;
/// What comes as JSON goes out as JSON, and grows by its numbers: `1e15` has 18 characters then.
const WORST_NUMBER: u64 = 4;

impl Caps {
    /// What a Runtime with these limits can need, and no more.
    ///
    /// A page ends at `max_page_bytes` but holds at least one item however large, and an item is
    /// one input or what one run said. Beside it there may be a Worker with an intent as large as
    /// the body that made it. Never under 1 MiB, so that limits of nonsense do not lock
    /// a Runtime out, and never over 1 GiB, so that they cannot exhaust its reader.
    #[must_use]
    pub fn for_limits(limits: &Limits) -> Self {
        let item = limits
            .max_input_bytes
            .max(limits.max_run_output_bytes)
            .saturating_mul(WORST_ESCAPE);
        let bytes = limits
            .max_page_bytes
            .max(item)
            .saturating_add(limits.max_body_bytes.saturating_mul(WORST_NUMBER))
            .saturating_add(ENVELOPE_BYTES)
            .clamp(1 << 20, 1 << 30);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            answer_bytes: bytes,
            frame_bytes: bytes,
        }
    }
}

impl Default for Caps {
    fn default() -> Self {
        Self::for_limits(&Limits::default())
    }
}

/// Caps that can change while calls are under way; each call reads them once.
#[derive(Debug)]
pub(crate) struct SharedCaps {
    answer_bytes: AtomicUsize,
    frame_bytes: AtomicUsize,
}

impl SharedCaps {
    pub(crate) fn new(caps: Caps) -> Self {
        Self {
            answer_bytes: AtomicUsize::new(caps.answer_bytes),
            frame_bytes: AtomicUsize::new(caps.frame_bytes),
        }
    }

    pub(crate) fn get(&self) -> Caps {
        Caps {
            answer_bytes: self.answer_bytes.load(Ordering::Relaxed),
            frame_bytes: self.frame_bytes.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn set(&self, caps: Caps) {
        self.answer_bytes
            .store(caps.answer_bytes, Ordering::Relaxed);
        self.frame_bytes.store(caps.frame_bytes, Ordering::Relaxed);
    }
}
