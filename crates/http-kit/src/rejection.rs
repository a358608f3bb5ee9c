//! How a handler, an extractor or a check at the edge says no.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use yoi_protocol::{Code, Failure, WorkerId};

/// A [`Failure`] on its way to the edge, which turns it into a problem answer.
///
/// It has a status at once, and gets its body, words and request id at the edge. What the path
/// does not tell of the subject (a Worker whose id stood in the body) is added here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub(crate) failure: Failure,
    pub(crate) worker_id: Option<WorkerId>,
}

impl Rejection {
    /// A rejection whose subject is what the path names.
    #[must_use]
    pub fn new(failure: Failure) -> Self {
        Self {
            failure,
            worker_id: None,
        }
    }

    /// A rejection with a code that has no further fields.
    #[must_use]
    pub fn code(code: Code) -> Self {
        Self::new(Failure::new(code))
    }

    /// The same, about a Worker that the path does not name.
    #[must_use]
    pub fn about_worker(mut self, worker_id: WorkerId) -> Self {
        self.worker_id = Some(worker_id);
        self
    }

    /// What failed.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        &self.failure
    }
}

impl From<Failure> for Rejection {
    fn from(failure: Failure) -> Self {
        Self::new(failure)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status_of(self.failure.code);
        response.extensions_mut().insert(self);
        response
    }
}

/// The status that belongs to a code.
pub(crate) fn status_of(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
