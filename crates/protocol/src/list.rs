//! Lists and their pages.

use serde::{Deserialize, Serialize};

use crate::{Failure, PageToken, WorkerStatus, WorkerSummary};

/// The query of a list of Workers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    /// Only Workers of this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<WorkerStatus>,
    /// How many, 1 to [`MAX_LIMIT`]; [`DEFAULT_LIMIT`] when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Where to go on, from the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<PageToken>,
}

/// The query of a transcript.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TranscriptQuery {
    /// Only entries after this sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How many, 1 to [`MAX_LIMIT`]; [`DEFAULT_LIMIT`] when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// The most items of a page.
pub const MAX_LIMIT: u64 = 1000;
/// The items of a page when the query does not say.
pub const DEFAULT_LIMIT: u64 = 100;

/// The number of items that a query asks for.
///
/// # Errors
/// `invalid_request` at `/limit` when it is not from 1 to [`MAX_LIMIT`].
pub fn checked_limit(limit: Option<u64>) -> Result<usize, Failure> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    match usize::try_from(limit) {
        Ok(limit_) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit_),
        _ => Err(Failure::invalid("/limit", "must be from 1 to 1000")),
    }
}

/// One page of Workers, by rising `worker_id`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkerPage {
    /// The Workers.
    pub workers: Vec<WorkerSummary>,
    /// Where the next page starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page: Option<PageToken>,
}
