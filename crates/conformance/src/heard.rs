//! Every answer of a Runtime, overheard: what no answer may show, whatever it was asked.

mod hearing;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use yoi_client::Transport;
use yoi_client::transport::{Request, Response, Socket, TransportFault, Upgrade};
use yoi_protocol::{RuntimeInfo, header};

use crate::unmet::{Verdict, broken};
use hearing::{Hearing, Overheard};

/// The shortest credential that is searched for: a shorter one stands in many a text by chance.
const SHORTEST: usize = 8;

/// What every answer is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// No answer shows the credential that it was asked with.
    ShowsNoCredential,
    /// Title and detail of a problem are text without control characters.
    IsPlainText,
    /// Every answer names the Runtime, and this start of it.
    NamesItsSource,
    /// Every answer has a request id.
    HasARequestId,
    /// What is absent is left out, never `null`.
    LeavesOutWhatIsAbsent,
}

/// What was overheard of a Runtime: of each rule, the first answer that broke it.
#[derive(Default)]
pub(crate) struct Heard {
    token: Option<String>,
    source: OnceLock<(String, String)>,
    breaches: Mutex<Vec<(Rule, String)>>,
}

impl Heard {
    pub(crate) fn new(token: Option<&str>) -> Arc<Self> {
        Arc::new(Self {
            token: token.map(str::to_owned),
            ..Self::default()
        })
    }

    /// From now on, each answer must name this Runtime.
    pub(crate) fn is_of(&self, info: &RuntimeInfo) {
        let source = (info.runtime_id.to_string(), info.boot_id.to_string());
        // Who was heard first stays who is meant.
        let _ = self.source.set(source);
    }

    /// Whether every answer until now kept a rule.
    pub(crate) fn keeps(&self, rule: Rule) -> Verdict {
        match self.breaches().iter().find(|(broken, _)| *broken == rule) {
            Some((_, detail)) => Err(broken(detail.clone())),
            None => Ok(()),
        }
    }

    fn breach(&self, rule: Rule, detail: String) {
        let mut breaches = self.breaches();
        if breaches.iter().all(|(broken, _)| *broken != rule) {
            breaches.push((rule, detail));
        }
    }

    fn breaches(&self) -> MutexGuard<'_, Vec<(Rule, String)>> {
        self.breaches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an answer to this request must not show.
    fn secrets(&self, request: &Request) -> Vec<String> {
        let sent = request.headers.get(AUTHORIZATION);
        let sent = sent.and_then(|value| value.to_str().ok()?.split(' ').next_back());
        let mut secrets: Vec<String> = sent
            .into_iter()
            .chain(self.token.as_deref())
            .filter(|secret| secret.len() >= SHORTEST)
            .flat_map(crate::scrub::forms)
            .collect();
        secrets.sort();
        secrets.dedup();
        secrets
    }

    /// Judges the head of an answer.
    fn head(&self, asked: &str, headers: &HeaderMap, secrets: &[String]) {
        for (name, value) in headers {
            let text = String::from_utf8_lossy(value.as_bytes());
            if secrets.iter().any(|secret| text.contains(secret)) {
                let detail = format!("{asked}: the header {name} shows the credential");
                self.breach(Rule::ShowsNoCredential, detail);
            }
        }
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if said(header::REQUEST_ID).is_none_or(str::is_empty) {
            self.breach(
                Rule::HasARequestId,
                format!("{asked}: without an x-request-id"),
            );
        }
        if let Some((runtime_id, boot_id)) = self.source.get() {
            for (name, own) in [(header::RUNTIME_ID, runtime_id), (header::BOOT_ID, boot_id)] {
                let found = said(name);
                if found != Some(own) {
                    let detail = format!("{asked}: {name} is {found:?}, not {own:?}");
                    self.breach(Rule::NamesItsSource, detail);
                }
            }
        }
    }
}

/// A way on which every answer is overheard.
pub(crate) struct Listening {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) heard: Arc<Heard>,
}

impl Listening {
    fn hear(&self, asked: String, secrets: Vec<String>, mut response: Response) -> Response {
        let asked = format!("{asked} ({})", response.status.as_u16());
        self.heard.head(&asked, &response.headers, &secrets);
        let mut hearing = Hearing::new(Arc::clone(&self.heard), asked, secrets);
        hearing.of(&response.headers);
        response.body = response
            .body
            .inspect(move |piece| {
                if let Ok(piece) = piece {
                    hearing.take(piece);
                }
            })
            .boxed();
        response
    }
}

#[async_trait]
impl Transport for Listening {
    async fn send(&self, request: Request) -> Result<Response, TransportFault> {
        let (asked, secrets) = (asked(&request), self.heard.secrets(&request));
        let response = self.inner.send(request).await?;
        Ok(self.hear(asked, secrets, response))
    }

    async fn upgrade(&self, request: Request) -> Result<Upgrade, TransportFault> {
        let (asked, secrets) = (asked(&request), self.heard.secrets(&request));
        Ok(match self.inner.upgrade(request).await? {
            Upgrade::Refused(response) => Upgrade::Refused(self.hear(asked, secrets, response)),
            Upgrade::Opened { headers, socket } => {
                let asked = format!("{asked} (101)");
                self.heard.head(&asked, &headers, &secrets);
                let hearing = Hearing::new(Arc::clone(&self.heard), asked, secrets);
                let socket = Socket::new(Overheard { socket, hearing });
                Upgrade::Opened { headers, socket }
            }
        })
    }
}

fn asked(request: &Request) -> String {
    format!("{} {}", request.method, request.uri.path())
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Heard(..)")
    }
}
