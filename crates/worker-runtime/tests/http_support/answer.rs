//! What came back.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use yoi_protocol::{Code, Problem};

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    /// The value of a header, empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a success with this status.
    pub(crate) fn json<T: DeserializeOwned>(&self, status: u16) -> T {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn value(&self, status: u16) -> Value {
        self.json(status)
    }

    /// The problem with this code, having checked that it agrees with its envelope.
    pub(crate) fn problem(&self, code: Code) -> Problem {
        assert_eq!(
            self.header("content-type"),
            Problem::CONTENT_TYPE,
            "{self:?}"
        );
        let problem: Problem = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem.code, code, "{self:?}");
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(problem.runtime_id.as_ref().unwrap().as_str(), "rt-test");
        assert_eq!(
            problem.request_id.as_ref().unwrap().as_str(),
            self.header("x-request-id")
        );
        problem
    }

    /// The pointers of an `invalid_request`.
    pub(crate) fn pointers(&self) -> Vec<String> {
        let problem = self.problem(Code::InvalidRequest);
        problem
            .details
            .errors
            .into_iter()
            .map(|e| e.pointer)
            .collect()
    }
}
