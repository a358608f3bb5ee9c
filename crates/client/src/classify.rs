//! What an answer means: the contract's link table as pure functions.
//!
//! An answer is *coded* only with a known code, the status that belongs to it, and the right
//! `yoi-runtime-id`. Anything else is *uncoded*, may come from a proxy, and is read by its status.
//! A coded answer that the table gives no row of its own is read by its status, too.

mod coded;
mod uncoded;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use yoi_protocol::{
    Code, Details, Effect, Failure, Operation, Origin, Phase, Problem, Reason, RuntimeId,
};

use crate::transport::TransportFault;

pub use coded::passed_on;

/// Whose words a failure is told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perspective {
    /// A Backend that asks a Runtime: what the Runtime says of the Backend, as of its credential,
    /// becomes what the Backend says of the Runtime.
    Link,
    /// Anyone who asks a server: a coded problem is what it says.
    Caller,
}

/// Who asks whom for what.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Whose words failures are told in.
    pub perspective: Perspective,
    /// The Runtime that is meant, where one is.
    pub addressee: Option<&'a RuntimeId>,
    /// What is asked, where it is an operation on Workers.
    pub operation: Option<Operation>,
}

/// The head of an answer, as far as it matters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head<'a> {
    /// The status.
    pub status: u16,
    /// The header `yoi-runtime-id`, whatever it holds.
    pub runtime_id: Option<&'a str>,
    /// The media type, without parameters.
    pub content_type: Option<&'a str>,
    /// The header `retry-after`, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

/// What the head alone says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A success, if its body is one.
    Success,
    /// A failure that its body may tell more of.
    Problem,
    /// A failure, whatever its body says.
    Failed(Failure),
}

/// A failure as it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it means here.
    pub failure: Failure,
    /// The problem as it came, if it was coded and whole.
    pub problem: Option<Box<Problem>>,
}

/// A fault on the way.
#[must_use]
pub fn transport(fault: TransportFault) -> Failure {
    match fault {
        TransportFault::Dns => unreachable(Reason::Dns, Effect::None),
        TransportFault::Refused => unreachable(Reason::Refused, Effect::None),
        TransportFault::Tls => unreachable(Reason::Tls, Effect::None),
        TransportFault::Reset => unreachable(Reason::Reset, Effect::Unknown),
        TransportFault::ConnectTimedOut => timed_out(Phase::Connect, Effect::None),
        TransportFault::HeadTimedOut => timed_out(Phase::Response, Effect::Unknown),
        TransportFault::NotHttp => garbled(),
    }
}

/// A body that stalled.
#[must_use]
pub fn body_stalled() -> Failure {
    timed_out(Phase::Body, Effect::Unknown)
}

/// What came back is not the contract; a command may have taken effect all the same.
#[must_use]
pub fn garbled() -> Failure {
    Failure::new(Code::RuntimeProtocolError)
        .by(Origin::Runtime)
        .with_effect(Effect::Unknown)
}

/// There was no time left to send anything.
#[must_use]
pub fn not_sent() -> Failure {
    Failure::new(Code::TimedOut)
}

/// What the head of an answer says, before its body is read.
#[must_use]
pub fn head(view: &View<'_>, head: &Head<'_>) -> Verdict {
    if is_of_another(view, head) && head.status != Code::MisdirectedRequest.status() {
        return Verdict::Failed(mismatch(Effect::Unknown));
    }
    match head.status {
        200..=299 if view.needs_source() && head.runtime_id.is_none() => Verdict::Failed(garbled()),
        200..=299 => Verdict::Success,
        401 | 403 if view.perspective == Perspective::Link => {
            Verdict::Failed(Failure::new(Code::RuntimeAuthFailed).by(Origin::Runtime))
        }
        400..=599 => Verdict::Problem,
        _ => Verdict::Failed(garbled()),
    }
}

/// What a failure means whose head said [`Verdict::Problem`].
#[must_use]
pub fn problem(view: &View<'_>, head: &Head<'_>, body: &[u8]) -> Refusal {
    let spoken = Spoken::read(body).filter(|spoken| spoken.code.status() == head.status);
    if head.status == Code::MisdirectedRequest.status() {
        return misdirected(view, spoken, body);
    }
    let named = !view.needs_source() || head.runtime_id.is_some();
    let Some(spoken) = spoken.filter(|_| named) else {
        return Refusal {
            failure: uncoded::by_status(view, head),
            problem: None,
        };
    };
    let word = spoken.into_failure(head);
    let failure = match view.perspective {
        Perspective::Caller => word,
        Perspective::Link => {
            coded::translate(word).unwrap_or_else(|_rowless| uncoded::by_status(view, head))
        }
    };
    Refusal {
        failure,
        problem: serde_json::from_slice(body).ok(),
    }
}

/// The body of a success.
///
/// # Errors
/// `runtime_protocol_error` when it is not JSON of that shape.
pub fn success<T: DeserializeOwned>(head: &Head<'_>, body: &[u8]) -> Result<T, Failure> {
    let is_json = head.content_type.is_none_or(|media| {
        media.eq_ignore_ascii_case("application/json") || media.ends_with("+json")
    });
    if !is_json {
        return Err(garbled());
    }
    serde_json::from_slice(body).map_err(|_| garbled())
}

/// A refusal to serve another than the one that answers: told by who refuses, so the other id in
/// its head is what it should be.
fn misdirected(view: &View<'_>, spoken: Option<Spoken>, body: &[u8]) -> Refusal {
    let Some(spoken) = spoken else {
        return Refusal {
            failure: mismatch(Effect::Unknown),
            problem: None,
        };
    };
    Refusal {
        failure: match view.perspective {
            Perspective::Link => mismatch(Effect::None),
            Perspective::Caller => spoken.into_failure(&Head::default()),
        },
        problem: serde_json::from_slice(body).ok(),
    }
}

impl View<'_> {
    /// Whether an answer must say who gives it. A Backend does not: it is nobody's Runtime.
    fn needs_source(&self) -> bool {
        self.perspective == Perspective::Link || self.addressee.is_some()
    }
}

fn is_of_another(view: &View<'_>, head: &Head<'_>) -> bool {
    match (view.addressee, head.runtime_id) {
        (Some(meant), Some(answering)) => meant.as_str() != answering,
        (None, _) | (_, None) => false,
    }
}

fn mismatch(effect: Effect) -> Failure {
    Failure::new(Code::RuntimeIdentityMismatch)
        .by(Origin::Runtime)
        .with_effect(effect)
}

fn unreachable(reason: Reason, effect: Effect) -> Failure {
    Failure::new(Code::RuntimeUnreachable)
        .by(Origin::Link)
        .with_reason(reason)
        .with_effect(effect)
}

fn timed_out(phase: Phase, effect: Effect) -> Failure {
    Failure::new(Code::RuntimeTimedOut)
        .by(Origin::Link)
        .with_phase(phase)
        .with_effect(effect)
}

/// What makes a problem coded, read leniently: a server that leaves out a title is understood.
struct Spoken {
    code: Code,
    origin: Option<Origin>,
    effect: Option<Effect>,
    details: Details,
}

impl Spoken {
    fn read(body: &[u8]) -> Option<Self> {
        let fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(body).ok()?;
        fn field<T: for<'de> Deserialize<'de>>(value: Option<&serde_json::Value>) -> Option<T> {
            T::deserialize(value?).ok()
        }
        Some(Self {
            code: field(fields.get("code"))?,
            origin: field(fields.get("origin")),
            effect: field(fields.get("effect")),
            details: serde_json::from_value(serde_json::Value::Object(fields)).unwrap_or_default(),
        })
    }

    /// Who does not say what a command did is not trusted to have done nothing.
    fn into_failure(mut self, head: &Head<'_>) -> Failure {
        if self.details.retry_after_ms.is_none() {
            self.details.retry_after_ms = head.retry_after_ms;
        }
        Failure {
            code: self.code,
            origin: self.origin,
            effect: self.effect.unwrap_or(Effect::Unknown),
            details: Box::new(self.details),
        }
    }
}
