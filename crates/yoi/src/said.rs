//! What a run says, each byte of it once.

use yoi_protocol::{Delta, RunId};

/// Joins the pieces of a run's text: deltas, what `caught_up` says was in flight, and the entry
/// that has it whole. Each can repeat what another said; what comes out is said once.
#[derive(Debug, Default)]
pub(crate) struct Said {
    run: Option<RunId>,
    /// How many bytes since the last entry were shown.
    shown: usize,
}

impl Said {
    /// What a delta adds.
    pub(crate) fn delta<'a>(&mut self, delta: &'a Delta) -> Option<(&'a RunId, &'a str)> {
        match delta {
            Delta::Text {
                run_id,
                offset,
                text,
            } => {
                let offset = usize::try_from(*offset).ok()?;
                Some((run_id, self.piece(run_id, offset, text)))
            }
            Delta::Thinking { .. } | Delta::ToolArguments { .. } | Delta::Unknown(_) => None,
        }
    }

    /// What a text adds that begins at `offset` after the last entry of the run.
    pub(crate) fn piece<'a>(&mut self, run: &RunId, offset: usize, text: &'a str) -> &'a str {
        if self.run.as_ref() != Some(run) {
            self.run = Some(run.clone());
            self.shown = 0;
        }
        let fresh = text
            .get(self.shown.saturating_sub(offset)..)
            .unwrap_or_default();
        self.shown = self.shown.max(offset + text.len());
        fresh
    }

    /// What an entry adds to what was shown of it; the next piece begins anew.
    pub(crate) fn entry<'a>(&mut self, run: &RunId, content: &'a str) -> &'a str {
        let fresh = self.piece(run, 0, content);
        self.shown = 0;
        fresh
    }
}

#[cfg(test)]
mod tests;
