//! What a caller and a watcher can see.

use std::fmt;

use yoi_protocol::{Code, Effect, Origin, Phase, Problem, Reason};

/// What a caller was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// What went wrong, if anything did.
    pub told: Option<Told>,
    /// Whether it is the answer to an earlier attempt at the same command.
    pub replayed: bool,
    /// How often it was tried over the link, and how many of these reached the Runtime.
    pub tries: Option<(usize, usize)>,
}

/// A problem, as far as a program reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What.
    pub code: Code,
    /// Why, for the codes that say it.
    pub reason: Option<Reason>,
    /// In which part, for the codes that say it.
    pub phase: Option<Phase>,
    /// Who failed.
    pub origin: Origin,
    /// What the command did; nothing of a read.
    pub effect: Option<Effect>,
}

impl From<Problem> for Told {
    fn from(problem: Problem) -> Self {
        Self {
            code: problem.code,
            reason: problem.details.reason,
            phase: problem.details.phase,
            origin: problem.origin,
            effect: problem.effect,
        }
    }
}

/// What a watcher saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// What was said of the stream itself, in order.
    pub controls: Vec<String>,
    /// Whether a run that began when all of the past was told came live, to its end.
    pub live: bool,
    /// How it ended, if it did: the close code, and the code of the last diagnostic.
    pub end: Option<(u16, Option<String>)>,
    /// How often the Backend tried.
    pub tries: Option<usize>,
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(told) = &self.told {
            write!(f, " {told}")?;
        }
        if self.replayed {
            f.write_str(" replayed")?;
        }
        match self.tries {
            None => Ok(()),
            Some((tried, arrived)) => write!(f, "; tried {tried}, arrived {arrived}"),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        if let Some(reason) = self.reason {
            write!(f, " ({})", reason.as_str())?;
        }
        if let Some(phase) = self.phase {
            write!(f, " ({})", phase.as_str())?;
        }
        f.write_str(match self.origin {
            Origin::Backend => ", by the backend",
            Origin::Link => ", by the link",
            Origin::Runtime => ", by the runtime",
        })?;
        f.write_str(match self.effect {
            None => "",
            Some(Effect::None) => ", effect none",
            Some(Effect::Unknown) => ", effect unknown",
        })
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for control in &self.controls {
            write!(f, "{control}, ")?;
        }
        if self.live {
            f.write_str("live, ")?;
        }
        match &self.end {
            None => f.write_str("goes on")?,
            Some((close, None)) => write!(f, "closed {close}")?,
            Some((close, Some(code))) => write!(f, "closed {close} {code}")?,
        }
        match self.tries {
            None => Ok(()),
            Some(tried) => write!(f, "; tried {tried}"),
        }
    }
}
