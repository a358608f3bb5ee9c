//! A call over all its attempts.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use yoi_protocol::{Code, Effect, Failure, header};

use crate::ask::Ask;
use crate::body::{self, Body, Reading};
use crate::classify::{self, Head, Refusal, Verdict, View};
use crate::head::head_of;
use crate::retry::{Attempted, Decision};
use crate::transport::{Request, Response};
use crate::{Call, CallError, Client, Perspective};

/// The most that is read of a problem. A longer one is nobody's problem answer.
const PROBLEM_CAP: usize = 1 << 20;

/// One call under way: what was tried, and what it may have done.
pub(crate) struct Attempts<'a> {
    client: &'a Client,
    ask: &'a Ask,
    call: &'a Call,
    deadline: Instant,
    made: u32,
    effect: Effect,
    /// The round of the credential that the last request carried.
    round: u64,
    /// The status of the last answer, if there was one.
    status: Option<u16>,
    refreshed: bool,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(client: &'a Client, ask: &'a Ask, call: &'a Call) -> Self {
        client.inner.budget.call();
        let own = Instant::now() + client.inner.settings.timeouts.request;
        Self {
            client,
            ask,
            call,
            deadline: call.deadline.map_or(own, |caller| caller.min(own)),
            made: 0,
            effect: Effect::None,
            round: 0,
            status: None,
            refreshed: false,
        }
    }

    pub(crate) fn view(&self) -> View<'a> {
        self.client.view(self.ask)
    }

    /// The next request, whole; `extra` are headers that belong to this kind of it.
    ///
    /// # Errors
    /// `timed_out` when there is no time left to send it in.
    pub(crate) async fn request(&mut self, extra: HeaderMap) -> Result<Request, Refusal> {
        self.status = None;
        let now = Instant::now();
        let left = self.deadline.saturating_duration_since(now);
        if left.is_zero() {
            return Err(classify::not_sent().into());
        }
        let settings = &self.client.inner.settings;
        let (token, round) = self.client.inner.auth.token().await;
        self.round = round;
        self.made += 1;
        let mut headers = extra;
        self.describe(&mut headers, left, token.as_ref());
        Ok(Request {
            method: self.ask.method().clone(),
            uri: self.client.inner.base.join(self.ask.path()),
            headers,
            body: self.ask.body().cloned(),
            head_by: self.deadline.min(now + settings.timeouts.response),
        })
    }

    fn describe(&self, headers: &mut HeaderMap, left: Duration, token: Option<&SecretString>) {
        let mut say = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        if let Some(addressee) = &self.client.inner.settings.addressee {
            say(header::RUNTIME_ID, addressee.as_str());
        }
        if let Some(request_id) = &self.call.request_id {
            say(header::REQUEST_ID, request_id.as_str());
        }
        if let Some(traceparent) = &self.call.traceparent {
            say(header::TRACEPARENT, traceparent);
        }
        let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
        say(header::DEADLINE_MS, &left_ms.to_string());
        if let (true, Some(key)) = (self.ask.is_command(), &self.call.key) {
            say(header::IDEMPOTENCY_KEY, key.as_str());
        }
        if self.ask.body().is_some() {
            say(CONTENT_TYPE.as_str(), "application/json");
        }
        if let Some(token) = token {
            let bearer = format!("Bearer {}", token.expose_secret());
            if let Ok(mut value) = HeaderValue::try_from(bearer) {
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
        }
    }

    /// Judges the head of an answer; what is no success becomes the failure that it tells of.
    pub(crate) async fn judge(&mut self, response: Response) -> Result<Response, Refusal> {
        let headers = response.headers.clone();
        let head = head_of(response.status.as_u16(), &headers);
        self.status = Some(head.status);
        match classify::head(&self.view(), &head) {
            Verdict::Success => Ok(response),
            Verdict::Failed(failure) => Err(failure.into()),
            Verdict::Problem => Err(self.refusal(response, &head).await),
        }
    }

    async fn refusal(&self, response: Response, head: &Head<'_>) -> Refusal {
        match body::read(response, self.reading(PROBLEM_CAP)).await {
            Ok(Body::Whole(body)) => classify::problem(&self.view(), head, &body),
            Ok(Body::OverCap) => classify::problem(&self.view(), head, b""),
            Err(failure) => failure.into(),
        }
    }

    pub(crate) fn reading(&self, cap: usize) -> Reading {
        Reading {
            cap,
            stall: self.client.inner.settings.timeouts.response,
            by: self.deadline,
        }
    }

    /// Waits until the next attempt.
    ///
    /// # Errors
    /// The failure of the whole call, when there is to be none.
    pub(crate) async fn after(&mut self, refusal: Refusal) -> Result<(), CallError> {
        let Refusal { failure, problem } = refusal;
        if self.ask.is_command() {
            self.effect = self.effect.and(failure.effect);
        }
        tracing::debug!(
            code = failure.code.as_str(),
            reason = failure.details.reason.map(|reason| reason.as_str()),
            phase = failure.details.phase.map(|phase| phase.as_str()),
            attempts = self.made,
            "an attempt failed"
        );
        if self.credential_was_refused(&failure) && !self.refreshed && self.may_send_again() {
            self.refreshed = true;
            if self.client.inner.auth.refresh(self.round).await {
                return Ok(());
            }
        }
        let settings = &self.client.inner.settings;
        let attempted = Attempted {
            attempts: self.made,
            command: self.ask.is_command(),
            effect: self.effect,
            may_resend: self.call.may_resend(),
            failure: &failure,
            passed_on: settings.perspective == Perspective::Caller
                && problem.is_some()
                && is_of_a_link(failure.code),
            left: self.deadline.saturating_duration_since(Instant::now()),
        };
        match settings.retry.decide(&attempted, fastrand::f64()) {
            Decision::Retry(wait) if self.client.inner.budget.take() => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Decision::Retry(_) | Decision::Stop => Err(CallError {
                failure: failure.with_effect(self.effect),
                problem,
                attempts: self.made,
            }),
        }
    }

    /// A 401. A 403 says that the token is known, and not enough.
    fn credential_was_refused(&self, failure: &Failure) -> bool {
        self.status == Some(Code::Unauthorized.status())
            && matches!(failure.code, Code::Unauthorized | Code::RuntimeAuthFailed)
    }

    fn may_send_again(&self) -> bool {
        !self.ask.is_command() || self.effect == Effect::None || self.call.may_resend()
    }
}

/// What a Backend says of a Runtime, after it has tried again itself.
fn is_of_a_link(code: Code) -> bool {
    matches!(
        code,
        Code::RuntimeUnreachable
            | Code::RuntimeIdentityMismatch
            | Code::RuntimeAuthFailed
            | Code::RuntimeProtocolError
            | Code::RuntimeFailed
            | Code::RuntimeUnavailable
            | Code::RuntimeTimedOut
    )
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            problem: None,
        }
    }
}
