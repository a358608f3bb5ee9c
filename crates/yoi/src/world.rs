//! What a command touches of the machine it runs on.

use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;

use worker_runtime::serve::MetricsText;
use yoi_config::Environment;

/// Environment, standard input and outputs: those of the process, or a test's.
pub struct World {
    /// The variables.
    pub environment: Environment,
    /// Where `-` reads from.
    pub input: Box<dyn Read + Send>,
    /// What was asked for.
    pub output: Box<dyn Write + Send>,
    /// What should be known beside it.
    pub notes: Box<dyn Write + Send>,
    /// Renders the metrics of the process, for a server's `/metrics`.
    pub metrics: MetricsText,
    /// Whether `output` is a terminal, which must not be told control characters.
    pub is_terminal: bool,
}

impl World {
    /// The world of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            environment: Environment::of_process(),
            input: Box::new(io::stdin()),
            output: Box::new(io::stdout()),
            notes: Box::new(io::stderr()),
            metrics: Arc::new(String::new),
            is_terminal: io::stdout().is_terminal(),
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("is_terminal", &self.is_terminal)
            .finish_non_exhaustive()
    }
}
