//! How much a run may still say.

/// Counts down `max_run_output_bytes`.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    is_over: bool,
}

impl Budget {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            left: max_bytes,
            is_over: false,
        }
    }

    /// Whether more was said than is allowed.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The part of `text` that may still be said, in whole characters.
    pub(super) fn cut<'a>(&mut self, text: &'a str) -> &'a str {
        if self.is_over {
            return "";
        }
        if self.spend(text.len()) {
            return text;
        }
        let mut end = usize::try_from(self.left).unwrap_or(usize::MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.left = 0;
        &text[..end]
    }

    /// Spends `bytes` as a whole, or nothing and is over.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        let fits = !self.is_over && bytes as u64 <= self.left;
        if fits {
            self.left -= bytes as u64;
        } else {
            self.is_over = true;
        }
        fits
    }
}
