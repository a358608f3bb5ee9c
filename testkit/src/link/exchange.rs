//! What came by.

use std::fmt;

use yoi_protocol::Operation;

use crate::Fault;

/// One request that came to a [`FaultProxy`](crate::FaultProxy), and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// The method, and the path with its query.
    pub line: String,
    /// What it asks for, where that is an operation on Workers.
    pub operation: Option<Operation>,
    /// Whether it was sent on to the Runtime. What was not has certainly changed nothing there.
    pub forwarded: bool,
    /// What happened to it, if something did. A stream may meet more than one: this is the last.
    pub fault: Option<Fault>,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)?;
        if !self.forwarded {
            f.write_str(" (not forwarded)")?;
        }
        match self.fault {
            Some(fault) => write!(f, " met {fault}"),
            None => Ok(()),
        }
    }
}
