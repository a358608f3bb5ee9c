//! What can be wrong with a configuration.

use std::fmt;

use crate::Place;

/// One thing that is wrong: where, and what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where it comes from.
    pub place: Place,
    /// What is wrong and what would be right. Names keys, never values.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// A configuration that cannot be used, with everything that was found wrong with it.
///
/// Displays one fault a line, in the order of the file. Never contains a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    faults: Vec<Fault>,
}

impl ConfigError {
    /// An error with one fault.
    #[must_use]
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self::all(vec![Fault {
            place,
            message: message.into(),
        }])
    }

    pub(crate) fn all(mut faults: Vec<Fault>) -> Self {
        faults.sort();
        faults.dedup();
        Self { faults }
    }

    /// Everything that is wrong, at least one thing.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
