//! How a question can go unanswered.

use yoi_protocol::{Failure, RunError, StreamEnd};

/// Why there is no answer, by what the caller can do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The Worker was certainly not asked.
    #[error("the question was not put: {0}")]
    NotAsked(Failure),
    /// The Worker may have been asked, and nobody would say: its transcript knows.
    #[error("the question may have been put: {0}")]
    InDoubt(Failure),
    /// The Worker was asked, and its answer was not heard: its transcript has it.
    #[error("the answer was not heard")]
    Unheard(StreamEnd),
    /// The Worker was asked, and could not answer.
    #[error("the worker could not answer{}", why(.0.as_ref()))]
    Failed(Option<RunError>),
    /// The Worker was asked, and somebody told it to be silent.
    #[error("somebody cancelled the answer")]
    Cancelled,
}

fn why(error: Option<&RunError>) -> String {
    error.map_or_else(String::new, |error| format!(": {}", error.code))
}
