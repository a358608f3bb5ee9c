//! What a caller and a watcher can see.

use std::fmt;
use std::time::Duration;

use yoi_protocol::{Code, Effect, Origin, Phase, Problem, Reason};

/// What a caller was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// What went wrong, if anything did.
    pub told: Option<Told>,
    /// Whether it is the answer to an earlier attempt at the same command.
    pub replayed: bool,
    /// How often it was tried, where there is a link.
    pub tries: Option<Tries>,
    /// How long it may take at the most, on a machine that has nothing else to do.
    pub within: Duration,
}

/// How often something was tried over a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// How often the Backend tried.
    pub tried: usize,
    /// How many of these reached the Runtime.
    pub arrived: usize,
}

/// A problem, as far as a program reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct Watched {
    /// Whether all of the past was told.
    pub caught_up: bool,
    /// How many events came.
    pub events: usize,
    /// What was said of the link behind the stream, in order.
    pub controls: Vec<String>,
    /// Whether a run that began when all of the past was told came live, to its end.
    pub live: bool,
    /// How it ended, if it did.
    pub end: Option<Closed>,
    /// How often the Backend tried.
    pub tried: Option<usize>,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The close code.
    pub code: u16,
    /// The code of the last diagnostic, if there was one.
    pub diagnostic: Option<String>,
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
        if let Some(Tries { tried, arrived }) = self.tries {
            write!(f, "; tried {tried}, arrived {arrived}")?;
        }
        match self.within.is_zero() {
            true => f.write_str("; at once"),
            false => write!(f, "; within {:?}", self.within),
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
        if self.caught_up {
            f.write_str("caught up, ")?;
        }
        for control in &self.controls {
            write!(f, "{control}, ")?;
        }
        if self.live {
            f.write_str("live, ")?;
        }
        match &self.end {
            // How much still arrives before an end is chance.
            None => write!(f, "goes on after {} events", self.events)?,
            Some(closed) => closed.fmt(f)?,
        }
        match self.tried {
            None => Ok(()),
            Some(tried) => write!(f, "; tried {tried}"),
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "closed {}", self.code)?;
        match &self.diagnostic {
            None => Ok(()),
            Some(code) => write!(f, " {code}"),
        }
    }
}
