//! How much a run may still say.

/// What each event of a run costs beside its texts: none is free, so that no run can fill its log
/// with empty ones.
const EVENT_BYTES: usize = 64;
/// What diagnostics may take of their own, so that a run that has said all it may can still say
/// why.
const DIAGNOSTIC_BYTES: u64 = 64 * 1024;

/// Counts down `max_run_output_bytes`.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    left_for_diagnostics: u64,
    is_over: bool,
}

impl Budget {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            left: max_bytes,
            left_for_diagnostics: DIAGNOSTIC_BYTES,
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

    /// Spends what an event with so many bytes of text costs, or nothing and is over.
    pub(super) fn spend_event(&mut self, bytes: usize) -> bool {
        self.spend(EVENT_BYTES.saturating_add(bytes))
    }

    /// Spends what a diagnostic costs: of its own share first, then of what the run may say.
    pub(super) fn spend_diagnostic(&mut self, bytes: usize) -> bool {
        let cost = EVENT_BYTES.saturating_add(bytes) as u64;
        match self.left_for_diagnostics.checked_sub(cost) {
            Some(left) => {
                self.left_for_diagnostics = left;
                true
            }
            None => self.spend_event(bytes),
        }
    }
}
