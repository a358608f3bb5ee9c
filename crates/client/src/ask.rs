//! What is asked, before it is known how often.

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use yoi_protocol::{ListQuery, Operation, TranscriptQuery};

/// One thing that is asked of a server.
#[derive(Debug)]
pub(crate) struct Ask {
    method: Method,
    path: String,
    operation: Option<Operation>,
    body: Option<Bytes>,
}

impl Ask {
    pub(crate) fn read(path: impl Into<String>, operation: Option<Operation>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            operation,
            body: None,
        }
    }

    /// A command. Its body is serialised once: every attempt sends the same bytes.
    pub(crate) fn command<T: Serialize>(
        path: impl Into<String>,
        operation: Operation,
        body: &T,
    ) -> Self {
        let body = serde_json::to_vec(body).expect("the contract's bodies serialise");
        Self {
            method: Method::POST,
            path: path.into(),
            operation: Some(operation),
            body: Some(body.into()),
        }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    pub(crate) fn operation(&self) -> Option<Operation> {
        self.operation
    }

    pub(crate) fn is_command(&self) -> bool {
        self.operation.is_some_and(Operation::is_command)
    }
}

/// The query of a list, with its `?`; nothing in it ever needs escaping.
pub(crate) fn list_query(query: &ListQuery) -> String {
    join(&[
        (
            "status",
            query.status.map(|status| status.as_str().to_owned()),
        ),
        ("limit", query.limit.map(|limit| limit.to_string())),
        ("page", query.page.as_ref().map(ToString::to_string)),
    ])
}

/// The query of a transcript, with its `?`.
pub(crate) fn transcript_query(query: &TranscriptQuery) -> String {
    join(&[
        ("after", query.after.map(|after| after.to_string())),
        ("limit", query.limit.map(|limit| limit.to_string())),
    ])
}

fn join(pairs: &[(&str, Option<String>)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if let Some(value) = value {
            text.push(if text.is_empty() { '?' } else { '&' });
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
    }
    text
}
