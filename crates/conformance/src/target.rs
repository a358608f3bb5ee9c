//! Who is checked, and checking them.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use yoi_client::{
    Call, CallError, Client, ClientConfigError, HttpTransport, RetryPolicy, StaticToken, Timeouts,
    Transport,
};
use yoi_protocol::{Capability, Code, Failure, Origin, RuntimeId};

use crate::bench::Bench;
use crate::error::CheckError;
use crate::first;
use crate::heard::{Heard, Listening};
use crate::over_http::{OverHttp, ServerSent};
use crate::report::{Checked, Outcome, Report};
use crate::scrub::Scrub;
use crate::wire::Wire;
use crate::{semantics, wire};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long is waited for what must come, unless a target is told otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long all checks together may take, unless a target is told otherwise.
const TIMEOUT: Duration = Duration::from_secs(600);

/// A running Runtime, and what must be known of it to check it.
///
/// ```
/// use yoi_conformance::Target;
///
/// let target = Target::new("https://gpu-1.internal")
///     .token("open-sesame")
///     .profile("upper")
///     .long_profile("slow");
/// assert!(!format!("{target:?}").contains("sesame"));
/// ```
#[derive(Clone)]
pub struct Target {
    url: String,
    token: Option<String>,
    profile: Option<String>,
    long_profile: Option<String>,
    patience: Duration,
    timeout: Duration,
    plain_http: bool,
    transport: Option<Arc<dyn Transport>>,
}

impl Target {
    /// The Runtime at this base URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: None,
            profile: None,
            long_profile: None,
            patience: PATIENCE,
            timeout: TIMEOUT,
            plain_http: false,
            transport: None,
        }
    }

    /// The bearer token that it wants. Without one, none is sent, and that it is needed is not
    /// checked.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// What Workers run whose runs should end by themselves, soon, on any input. The Runtime's
    /// default unless set.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// What Workers run whose runs should not end by themselves before somebody ends them, and
    /// which say something first. Without it, what needs an active run is skipped.
    #[must_use]
    pub fn long_profile(mut self, name: impl Into<String>) -> Self {
        self.long_profile = Some(name.into());
        self
    }

    /// How long is waited for what must come. 30 seconds unless set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long all checks together may take; those that come later are skipped. Ten minutes
    /// unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends the token over `http://` also to elsewhere than this machine, for everyone on the way
    /// to read.
    #[must_use]
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Whether the token would be sent over plain HTTP to elsewhere than this machine.
    fn is_exposed(&self) -> bool {
        let Ok(uri) = self.url.parse::<http::Uri>() else {
            return false;
        };
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address: Result<IpAddr, _> = host.parse();
        let is_here = address.map_or(host.eq_ignore_ascii_case("localhost"), |address| {
            address.to_canonical().is_loopback()
        });
        uri.scheme_str() == Some("http") && !is_here && self.token.is_some() && !self.plain_http
    }

    /// Another way there than the machine's network.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    fn way(&self) -> Result<Arc<dyn Transport>, ClientConfigError> {
        if let Some(transport) = &self.transport {
            return Ok(Arc::clone(transport));
        }
        let is_secure = self.url.to_ascii_lowercase().starts_with("https:");
        Ok(Arc::new(if is_secure {
            HttpTransport::secure(CONNECT)?
        } else {
            HttpTransport::plain(CONNECT)?
        }))
    }

    fn client(
        &self,
        transport: &Arc<dyn Transport>,
        addressee: Option<RuntimeId>,
    ) -> Result<Client, ClientConfigError> {
        let response = self.patience.min(self.timeout);
        let mut builder = Client::builder(&self.url)?
            .transport(Arc::clone(transport))
            .retry(RetryPolicy::NEVER)
            .timeouts(Timeouts {
                connect: CONNECT,
                response,
                request: response.saturating_mul(2),
            });
        if let Some(addressee) = addressee {
            builder = builder.addressee(addressee);
        }
        if let Some(token) = &self.token {
            builder = builder.credential(Arc::new(StaticToken::new(token.as_str())));
        }
        builder.build()
    }

    fn seat(&self, mut bench: Bench) -> Bench {
        if let Some(profile) = &self.profile {
            bench = bench.profile(profile);
        }
        if let Some(profile) = &self.long_profile {
            bench = bench.long_profile(profile);
        }
        bench.patience(self.patience)
    }

    fn scrub(&self) -> Scrub {
        Scrub::new(&self.url, self.token.as_deref())
    }
}

/// Runs every check against a running Runtime, one after the other, and stops what they made.
///
/// A Runtime that answers, but not in the contract's words when it is asked what it is, is no
/// error: its report has that one failure, and everything else is skipped. One that leaves several
/// checks in a row unanswered is not asked further.
///
/// # Errors
/// [`CheckError`] when nothing could be checked.
pub async fn check(target: &Target) -> Result<Report, CheckError> {
    check_telling(target, &mut |_| ()).await
}

/// The same, telling each check as it is made, for who watches.
///
/// # Errors
/// [`CheckError`] when nothing could be checked; then nothing was told.
pub async fn check_telling(
    target: &Target,
    told: &mut (dyn FnMut(&Checked) + Send),
) -> Result<Report, CheckError> {
    let until = Instant::now() + target.timeout;
    let is_visible = |token: &String| token.bytes().all(|b| b.is_ascii_graphic());
    if !target.token.as_ref().is_none_or(is_visible) {
        return Err(CheckError::Token);
    }
    if target.is_exposed() {
        return Err(CheckError::PlainHttp);
    }
    let scrub = target.scrub();
    let heard = Heard::new(target.token.as_deref());
    let transport: Arc<dyn Transport> = Arc::new(Listening {
        inner: target.way().map_err(CheckError::Address)?,
        heard: Arc::clone(&heard),
    });
    let client = target.client(&transport, None);
    let client = client.map_err(CheckError::Address)?;
    let call = Call::default();
    let asked = timeout_at(until, client.runtime_info(&call)).await;
    let info = match asked.unwrap_or_else(|_| Err(late())) {
        Ok(answer) => answer.value,
        Err(error) if is_nobody(&error) => {
            return Err(CheckError::Unanswered(Box::new(scrubbed(error, &scrub))));
        }
        Err(error) if error.failure.code == Code::RouteNotFound => {
            let origin = error.problem.map(|problem| problem.origin);
            let is_backend = origin == Some(Origin::Backend);
            return Err(CheckError::NoRuntime { is_backend });
        }
        Err(error) => {
            let token = target.token.as_deref();
            let fault = first::fault(&*transport, &target.url, token, target.patience);
            let fault = timeout_at(until, fault).await.ok().flatten();
            let fault = fault.unwrap_or_else(|| error.to_string());
            return Ok(unreadable(&fault, &scrub, told));
        }
    };
    heard.is_of(&info);
    let client = target.client(&transport, Some(info.runtime_id.clone()));
    let client = client.map_err(CheckError::Address)?;
    client.follow_limits(&info.limits);
    let mut subject = OverHttp::new(client);
    let lists = |one| info.capabilities.contains(&one);
    if !lists(Capability::EVENTS_WS) && lists(Capability::EVENTS_SSE) {
        subject = subject.observing(ServerSent {
            transport: Arc::clone(&transport),
            base: target.url.trim_end_matches('/').to_owned(),
            token: target.token.clone(),
            patience: target.patience,
        });
    }
    let bench = timeout_at(until, Bench::new(Arc::new(subject))).await;
    let bench = match bench.map_err(|_| CheckError::Unanswered(Box::new(late())))? {
        Ok(bench) => target.seat(bench).until(until).scrubbed(scrub.clone()),
        Err(failure) => {
            let error = CallError {
                failure,
                problem: None,
                attempts: 1,
            };
            return Ok(unreadable(&error.to_string(), &scrub, told));
        }
    };
    bench.can_be_used(until).await?;
    let wire = Wire::new(bench, transport, &target.url, target.token.clone(), heard);
    let wire = wire.reading_limits(until).await;
    let mut checks = semantics::run_telling(wire.bench(), told).await;
    checks.extend(wire::run_telling(&wire, told).await);
    let left_behind = wire.bench().left_behind().await;
    let is_cut_short = wire.bench().course().is_cut_short();
    let report = Report::new(Some(wire.bench().info()), checks);
    let mut report = report.leaving(left_behind).cut_short(is_cut_short);
    if let Some(seen) = &mut report.runtime {
        let texts = [&mut seen.api_version, &mut seen.version, &mut seen.store];
        for text in texts.into_iter().chain(&mut seen.capabilities) {
            *text = scrub.line(text);
        }
    }
    Ok(report)
}

/// Nobody has answered while there was time.
fn late() -> CallError {
    CallError {
        failure: Failure::new(Code::RuntimeTimedOut).by(Origin::Link),
        problem: None,
        attempts: 1,
    }
}

/// A failed call without what its answer must not repeat.
fn scrubbed(mut error: CallError, scrub: &Scrub) -> CallError {
    if let Some(problem) = &mut error.problem {
        problem.title = scrub.line(&problem.title);
        problem.detail = scrub.line(&problem.detail);
        for error in &mut problem.details.errors {
            error.message = scrub.line(&error.message);
        }
    }
    for error in &mut error.failure.details.errors {
        error.message = scrub.line(&error.message);
    }
    error
}

/// Whether nobody is there to be checked, or nobody who lets us in.
fn is_nobody(error: &CallError) -> bool {
    matches!(
        error.failure.code,
        Code::RuntimeUnreachable
            | Code::RuntimeTimedOut
            | Code::TimedOut
            | Code::Unauthorized
            | Code::ForbiddenOrigin
    )
}

/// The report of a Runtime that does not say what it is.
fn unreadable(fault: &str, scrub: &Scrub, told: &mut (dyn FnMut(&Checked) + Send)) -> Report {
    let reason = "the runtime does not say what it is";
    let skip = || Outcome::Skipped {
        reason: reason.to_owned(),
    };
    let mut checks: Vec<Checked> = semantics::checks()
        .map(|check| check.with(skip()))
        .chain(wire::checks().map(|check| check.with(skip())))
        .collect();
    if let Some(first) = checks.first_mut() {
        first.outcome = Outcome::Failed {
            detail: scrub.line(&format!("GET /v1/runtime gave {fault}")),
        };
    }
    checks.iter().for_each(told);
    Report::new(None, checks)
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("token", &self.token.is_some())
            .field("profile", &self.profile)
            .field("long_profile", &self.long_profile)
            .finish_non_exhaustive()
    }
}
