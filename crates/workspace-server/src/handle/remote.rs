//! A Runtime in a process of its own: its wire, through `yoi-client`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use yoi_client::{
    Answer, Call, CallError, Client, ClientConfigError, Credential, FrameStream, Perspective,
    RetryPolicy, SecretString, Timeouts, Workers,
};
use yoi_config::SecretSource;
use yoi_protocol::{
    Api, CancelRequest, Cancelled, CreateWorker, Cursor, Effect, Failure, InputAccepted,
    InputRequest, ListQuery, RawFrame, RuntimeId, RuntimeInfo, StopRequest, Stopped, StreamEnd,
    Transcript, TranscriptQuery, Worker, WorkerId, WorkerPage,
};

use super::{Applied, CallContext, RuntimeHandle, Upstream, protocol_error};
use crate::scrub::Scrubber;

/// How many credentials of the past are still hidden in texts: one that was replaced a moment
/// ago may still stand in an answer under way.
const CREDENTIALS_REMEMBERED: usize = 4;

/// How a remote Runtime is reached. `Debug` shows neither address nor credential.
#[derive(Clone)]
pub struct RemoteSettings {
    /// `https://…`, or `http://…` to loopback.
    pub base_url: String,
    /// Takes `http://` to elsewhere, too.
    pub allow_plain_http: bool,
    /// The bearer token; none is sent without.
    pub token: Option<Arc<SecretSource>>,
    /// How long each part of a call may take.
    pub timeouts: Timeouts,
    /// How often a call is tried again.
    pub retry: RetryPolicy,
}

impl RemoteSettings {
    /// A Runtime at `base_url` without a token, with the contract's timeouts.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            allow_plain_http: false,
            token: None,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
        }
    }
}

impl fmt::Debug for RemoteSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSettings")
            .field("allow_plain_http", &self.allow_plain_http)
            .field("token", &self.token.is_some())
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// Why a remote Runtime cannot be reached as configured. Never repeats the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Plain HTTP would carry the credential over a network.
    #[error("base_url must be https:// unless it is loopback or allow_plain_http is true")]
    PlainHttp,
    /// The client refuses it.
    #[error(transparent)]
    Client(#[from] ClientConfigError),
}

/// A Runtime in a process of its own.
#[derive(Clone)]
pub struct Remote {
    runtime_id: RuntimeId,
    client: Client,
    workers: Workers,
    scrub: Scrubber,
}

impl Remote {
    /// A handle to the Runtime `runtime_id`. Nothing is sent, nothing is resolved.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn new(runtime_id: RuntimeId, settings: &RemoteSettings) -> Result<Self, RemoteError> {
        let mut builder = Client::builder(&settings.base_url)?
            .addressee(runtime_id.clone())
            .perspective(Perspective::Link)
            .timeouts(settings.timeouts)
            .retry(settings.retry);
        if !settings.allow_plain_http && !is_private(&settings.base_url) {
            return Err(RemoteError::PlainHttp);
        }
        let fixed = Scrubber::address(&settings.base_url);
        let mut scrub = Scrubber::of(fixed.clone());
        if let Some(source) = &settings.token {
            let credential = Arc::new(Token::new(Arc::clone(source)));
            builder = builder.credential(Arc::clone(&credential) as Arc<dyn Credential>);
            scrub = Scrubber::new(fixed, Arc::new(move || credential.seen()));
        }
        let client = builder.build()?;
        Ok(Self {
            workers: client.workers(Api::Runtime),
            runtime_id,
            client,
            scrub,
        })
    }

    /// Hides this Runtime's address and credential.
    pub(crate) fn scrubber(&self) -> Scrubber {
        self.scrub.clone()
    }

    /// Holds what came back to the address that was asked.
    fn check(
        &self,
        runtime_id: &RuntimeId,
        ids: Option<(&WorkerId, &WorkerId)>,
    ) -> Result<(), Failure> {
        let right = *runtime_id == self.runtime_id && ids.is_none_or(|(asked, told)| asked == told);
        if right { Ok(()) } else { Err(protocol_error()) }
    }
}

/// Whether a base URL is `https`, or `http` to this machine.
fn is_private(base_url: &str) -> bool {
    let lower = base_url.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("http://") else {
        return true;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn call(context: &CallContext, resend_unknown: bool) -> Call {
    let key = context.key.as_ref();
    Call {
        deadline: context.deadline,
        request_id: context.request_id.clone(),
        traceparent: context.traceparent.clone(),
        key: key.map(|forwarded| forwarded.key.clone()),
        resend_unknown: resend_unknown && key.is_some_and(|forwarded| forwarded.honoured),
    }
}

fn read(context: &CallContext) -> Call {
    Call {
        key: None,
        ..call(context, false)
    }
}

fn applied<T>(answer: Answer<T>) -> Applied<T> {
    Applied {
        value: answer.value,
        replayed: answer.replayed,
    }
}

fn failure(error: CallError) -> Failure {
    tracing::debug!(code = %error.failure.code, attempts = error.attempts, "a runtime failed");
    error.failure
}

#[async_trait]
impl RuntimeHandle for Remote {
    async fn runtime(&self, context: &CallContext) -> Result<RuntimeInfo, Failure> {
        let info = self
            .client
            .runtime_info(&read(context))
            .await
            .map_err(failure)?
            .value;
        self.check(&info.runtime_id, None)?;
        self.client.follow_limits(&info.limits);
        Ok(info)
    }

    async fn list_workers(
        &self,
        query: &ListQuery,
        context: &CallContext,
    ) -> Result<WorkerPage, Failure> {
        let page = self
            .workers
            .list(query, &read(context))
            .await
            .map_err(failure)?
            .value;
        for worker in &page.workers {
            self.check(&worker.runtime_id, None)?;
        }
        Ok(page)
    }

    async fn get_worker(
        &self,
        worker_id: &WorkerId,
        context: &CallContext,
    ) -> Result<Worker, Failure> {
        let worker = self
            .workers
            .get(worker_id, &read(context))
            .await
            .map_err(failure)?
            .value;
        self.check(&worker.runtime_id, Some((worker_id, &worker.worker_id)))?;
        Ok(worker)
    }

    async fn create_worker(
        &self,
        body: CreateWorker,
        context: &CallContext,
    ) -> Result<Applied<Worker>, Failure> {
        let answer = self
            .workers
            .create(&body, &call(context, true))
            .await
            .map_err(failure)?;
        let worker = &answer.value;
        let ids = body.worker_id.as_ref().map(|id| (id, &worker.worker_id));
        self.check(&worker.runtime_id, ids)?;
        Ok(applied(answer))
    }

    async fn send_input(
        &self,
        worker_id: &WorkerId,
        body: InputRequest,
        context: &CallContext,
    ) -> Result<Applied<InputAccepted>, Failure> {
        let answer = self
            .workers
            .input(worker_id, &body, &call(context, true))
            .await
            .map_err(failure)?;
        let accepted = &answer.value;
        self.check(&accepted.runtime_id, Some((worker_id, &accepted.worker_id)))?;
        Ok(applied(answer))
    }

    async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: CancelRequest,
        context: &CallContext,
    ) -> Result<Applied<Cancelled>, Failure> {
        // A second cancel that names no run, under a key that nobody asked for, might end the
        // run after the one that was meant.
        let named = body.run_id.is_some()
            || context
                .key
                .as_ref()
                .is_some_and(|forwarded| forwarded.from_caller);
        let answer = self
            .workers
            .cancel(worker_id, &body, &call(context, named))
            .await
            .map_err(failure)?;
        let worker = &answer.value.worker;
        self.check(&worker.runtime_id, Some((worker_id, &worker.worker_id)))?;
        Ok(applied(answer))
    }

    async fn stop(
        &self,
        worker_id: &WorkerId,
        body: StopRequest,
        context: &CallContext,
    ) -> Result<Applied<Stopped>, Failure> {
        let answer = self
            .workers
            .stop(worker_id, &body, &call(context, true))
            .await
            .map_err(failure)?;
        let worker = &answer.value.worker;
        self.check(&worker.runtime_id, Some((worker_id, &worker.worker_id)))?;
        Ok(applied(answer))
    }

    async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
        context: &CallContext,
    ) -> Result<Transcript, Failure> {
        let transcript = self
            .workers
            .transcript(worker_id, query, &read(context))
            .await
            .map_err(failure)?
            .value;
        self.check(
            &transcript.runtime_id,
            Some((worker_id, &transcript.worker_id)),
        )?;
        Ok(transcript)
    }

    async fn observe(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
        context: &CallContext,
    ) -> Result<Box<dyn Upstream>, Failure> {
        let stream = self
            .workers
            .events(worker_id, cursor, &read(context))
            .await
            .map_err(|error| failure(error).with_effect(Effect::None))?;
        Ok(Box::new(RemoteUpstream(stream)))
    }
}

struct RemoteUpstream(FrameStream);

#[async_trait]
impl Upstream for RemoteUpstream {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        self.0.next().await
    }
}

/// The token of one Runtime, and which tokens it has been.
struct Token {
    source: Arc<SecretSource>,
    seen: Mutex<VecDeque<String>>,
}

impl Token {
    fn new(source: Arc<SecretSource>) -> Self {
        let token = Self {
            source,
            seen: Mutex::default(),
        };
        token.current();
        token
    }

    fn current(&self) -> SecretString {
        let secret = self.source.current();
        let text = secret.expose();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.back().is_none_or(|last| last != text) {
            seen.push_back(text.to_owned());
            if seen.len() > CREDENTIALS_REMEMBERED {
                seen.pop_front();
            }
        }
        SecretString::from(text.to_owned())
    }

    fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().cloned().collect()
    }
}

#[async_trait]
impl Credential for Token {
    async fn token(&self) -> Option<SecretString> {
        Some(self.current())
    }

    async fn refresh(&self) -> bool {
        self.source.refresh().unwrap_or(false)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.runtime_id).finish()
    }
}
