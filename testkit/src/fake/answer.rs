//! One answer of a fake, with the headers that a Runtime gives.

use std::time::Duration;

use serde_json::Value;
use wiremock::ResponseTemplate;
use yoi_protocol::{
    Code, Failure, Operation, Origin, Problem, RuntimeId, Subject, WorkerId, header,
};

use super::Received;
use crate::retell::retell;

/// Which start of the Runtime a fake says that it is: that of the fixtures.
pub(super) const BOOT_ID: &str = "boot-1";

/// An answer, before it is known how it travels.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let answer = Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        };
        answer.with("content-type", content_type)
    }

    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self::raw(status, "application/json", value.to_string())
    }

    /// A problem with the status, the content type and the headers that go with it.
    pub(super) fn problem(problem: &Problem) -> Self {
        let body = serde_json::to_vec(problem).expect("a problem is JSON");
        let answer = Self::raw(problem.status, Problem::CONTENT_TYPE, body);
        let answer = match problem.details.retry_after_ms {
            Some(ms) => answer.with("retry-after", &ms.div_ceil(1000).to_string()),
            None => answer,
        };
        match problem.code {
            Code::Unauthorized => answer.with("www-authenticate", "Bearer"),
            Code::MethodNotAllowed => answer.with("allow", "GET,HEAD"),
            Code::UpgradeRequired => answer.with("upgrade", "websocket"),
            _ => answer,
        }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The headers by which every answer of a Runtime names its source.
    pub(super) fn named_by(self, id: &RuntimeId) -> Self {
        self.with(header::RUNTIME_ID, id.as_str())
            .with(header::BOOT_ID, BOOT_ID)
    }

    /// The request id, which goes with every answer.
    pub(super) fn to(self, asked: &Received) -> Self {
        self.with(header::REQUEST_ID, asked.request_id().as_str())
    }

    pub(super) fn into_template(self, delay: Option<Duration>) -> ResponseTemplate {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_str()));
        let template = ResponseTemplate::new(self.status)
            .append_headers(headers)
            .set_body_bytes(self.body);
        match delay {
            Some(delay) => template.set_delay(delay),
            None => template,
        }
    }

    /// The whole answer, as it stands on the wire. The connection ends with it.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} -\r\nconnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        let mut bytes = text.into_bytes();
        bytes.extend(self.body);
        bytes
    }
}

/// What a fake says to what nobody expected: no answer of a Runtime, so that nothing believes it.
pub(super) fn unexpected() -> Answer {
    Answer::raw(501, "text/plain", "no stub of this fake answers that\n")
}

/// The problem that `failure` is, told about this request.
pub(super) fn told(
    failure: Failure,
    id: &RuntimeId,
    worker_id: Option<&WorkerId>,
    operation: Option<Operation>,
    asked: &Received,
) -> Problem {
    let about = Subject {
        runtime_id: Some(id.clone()),
        worker_id: worker_id.cloned(),
        request_id: Some(asked.request_id().clone()),
    };
    failure.into_problem(Origin::Runtime, &about, operation)
}

/// The same JSON, told of another Runtime and another Worker.
pub(super) fn retold(value: &mut Value, id: &RuntimeId, worker_id: Option<&WorkerId>) {
    retell(value, &|field| match field {
        "runtime_id" => Some(id.as_str()),
        "worker_id" => worker_id.map(WorkerId::as_str),
        _ => None,
    });
}
