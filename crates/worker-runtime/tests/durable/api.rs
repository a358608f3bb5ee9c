//! Asking the process, where no answer is an answer, too.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::PATIENCE;
use crate::watch::Watch;

/// A client of one process.
#[derive(Clone)]
pub(crate) struct Api {
    http: Client,
    url: String,
}

/// A command as it is sent, once or again.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) key: Option<String>,
}

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) is_replayed: bool,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A field of the body that is text.
    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        let body = self.json();
        let text = body[field].as_str();
        text.unwrap_or_else(|| panic!("no {field}: {self:?}"))
            .to_owned()
    }
}

impl Api {
    pub(crate) fn new(url: &str) -> Self {
        // The first test to come installs it; for the others it is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().timeout(PATIENCE).build();
        Self {
            http: http.expect("a client"),
            url: url.to_owned(),
        }
    }

    /// The same client for a process at another address.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self {
            http: self.http.clone(),
            url: url.to_owned(),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends a command; `None` when no whole answer comes back.
    pub(crate) async fn send(&self, command: &Command) -> Option<Answer> {
        let mut request = self
            .request(Method::POST, &command.path)
            .header("content-type", "application/json")
            .body(command.body.clone());
        if let Some(key) = &command.key {
            request = request.header("idempotency-key", key);
        }
        answer(request).await
    }

    /// What is there; the process must answer.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = answer(self.request(Method::GET, path)).await;
        let answer = answer.unwrap_or_else(|| panic!("no answer to GET {path}"));
        assert_eq!(answer.status, 200, "GET {path}: {answer:?}");
        answer.json()
    }

    /// Observes a Worker from a cursor on.
    ///
    /// # Errors
    /// The answer that is no stream, if any.
    pub(crate) async fn watch(&self, id: &str, cursor: &str) -> Result<Watch, Option<Answer>> {
        let path = format!("/v1/workers/{id}/events?cursor={cursor}");
        let response = self.request(Method::GET, &path).send().await;
        let response = response.map_err(|_| None)?;
        if response.status().as_u16() == 200 {
            return Ok(Watch::new(response));
        }
        Err(whole(response).await)
    }
}

async fn answer(request: RequestBuilder) -> Option<Answer> {
    whole(request.send().await.ok()?).await
}

async fn whole(response: reqwest::Response) -> Option<Answer> {
    let replayed = response.headers().get("idempotency-replayed");
    Some(Answer {
        status: response.status().as_u16(),
        is_replayed: replayed.is_some_and(|value| value == "true"),
        body: response.text().await.ok()?,
    })
}
