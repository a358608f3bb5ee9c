//! Who is checked, and checking them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use yoi_client::{
    CallError, Client, ClientConfigError, HttpTransport, RetryPolicy, StaticToken, Timeouts,
    Transport,
};
use yoi_protocol::{Code, RuntimeId};

use crate::bench::Bench;
use crate::over_http::OverHttp;
use crate::report::{Checked, Outcome, Report};
use crate::{Subject, semantics, wire};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

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
    patience: Option<Duration>,
    transport: Option<Arc<dyn Transport>>,
}

/// Why nothing could be checked. Never repeats the address or the token.
#[derive(Debug)]
pub enum CheckError {
    /// The address is none, or cannot be used from here.
    Address(ClientConfigError),
    /// The token cannot stand in a header.
    Token,
    /// Nobody answers at the address, or not in time, or not to this token.
    Unanswered(Box<CallError>),
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
            patience: None,
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
        self.patience = Some(patience);
        self
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
        let response = self.patience.unwrap_or(Duration::from_secs(30));
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
        match self.patience {
            Some(patience) => bench.patience(patience),
            None => bench,
        }
    }
}

/// Runs every check against a running Runtime, one after the other, and stops what they made.
///
/// A Runtime that answers, but not in the contract's words when it is asked what it is, is no
/// error: its report has that one failure, and everything else is skipped.
///
/// # Errors
/// [`CheckError`] when nothing could be checked.
pub async fn check(target: &Target) -> Result<Report, CheckError> {
    let is_visible = |token: &String| token.bytes().all(|b| b.is_ascii_graphic());
    if !target.token.as_ref().is_none_or(is_visible) {
        return Err(CheckError::Token);
    }
    let transport = target.way().map_err(CheckError::Address)?;
    let client = target.client(&transport, None);
    let client = client.map_err(CheckError::Address)?;
    let info = match client.runtime_info(&yoi_client::Call::default()).await {
        Ok(answer) => answer.value,
        Err(error) if is_nobody(&error) => return Err(CheckError::Unanswered(Box::new(error))),
        Err(error) => return Ok(unreadable(&error)),
    };
    let client = target.client(&transport, Some(info.runtime_id.clone()));
    let client = client.map_err(CheckError::Address)?;
    client.follow_limits(&info.limits);
    let subject: Arc<dyn Subject> = Arc::new(OverHttp::new(client));
    let bench = match Bench::new(subject).await {
        Ok(bench) => target.seat(bench),
        Err(failure) => {
            return Ok(unreadable(&CallError {
                failure,
                problem: None,
                attempts: 1,
            }));
        }
    };
    let mut checks = semantics::run(&bench).await;
    let on_wire = wire::Wire::new(bench, transport, &target.url, target.token.clone());
    checks.extend(wire::run(&on_wire).await);
    Ok(Report::new(Some(on_wire.bench().info()), checks))
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
fn unreadable(error: &CallError) -> Report {
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
            detail: format!("GET /v1/runtime gave {error}"),
        };
    }
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

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::Token => f.write_str("the token must be visible ASCII characters"),
            Self::Unanswered(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CheckError {}
