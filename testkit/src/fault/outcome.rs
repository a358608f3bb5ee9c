//! What a Backend must make of a fault: the contract's link table, said once more.

use std::fmt;

use yoi_protocol::{Code, Effect, Operation, Phase, Reason, StreamEnd};

use super::Fault;
use crate::fixtures::problems;

/// What becomes of an operation to which a [`Fault`] happens, after one attempt.
///
/// ```
/// use yoi_protocol::{Code, Effect, Operation};
/// use yoi_testkit::{Fault, Outcome};
///
/// let Outcome::Fails(row) = Fault::BodyStalls.outcome(Operation::SendInput) else { panic!() };
/// assert_eq!((row.code, row.effect), (Code::RuntimeTimedOut, Effect::Unknown));
/// assert_eq!(Fault::EventTwice.outcome(Operation::Events), Outcome::Unharmed);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing is noticed.
    Unharmed,
    /// It fails so.
    Fails(LinkRow),
    /// The observation stands, and ends so later.
    Ends(StreamEnd),
    /// The observation stands, and breaks off so later.
    Breaks(LinkRow),
}

/// A row of the link table. Shown as `runtime_timed_out body unknown`.
///
/// ```
/// use yoi_protocol::{Code, Failure, Reason};
/// use yoi_testkit::LinkRow;
///
/// let refused = Failure::new(Code::RuntimeUnreachable).with_reason(Reason::Refused);
/// assert_eq!(LinkRow::of(&refused).to_string(), "runtime_unreachable refused none");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkRow {
    /// What it is called.
    pub code: Code,
    /// Why, for the codes that say it.
    pub reason: Option<Reason>,
    /// In which part, for the codes that say it.
    pub phase: Option<Phase>,
    /// What a command did. Always `none` for a read.
    pub effect: Effect,
}

impl LinkRow {
    const fn new(code: Code, effect: Effect) -> Self {
        Self {
            code,
            reason: None,
            phase: None,
            effect,
        }
    }

    const fn unreachable(reason: Reason, effect: Effect) -> Self {
        Self {
            reason: Some(reason),
            ..Self::new(Code::RuntimeUnreachable, effect)
        }
    }

    const fn unavailable(reason: Reason, effect: Effect) -> Self {
        Self {
            reason: Some(reason),
            ..Self::new(Code::RuntimeUnavailable, effect)
        }
    }

    const fn timed_out(phase: Phase, effect: Effect) -> Self {
        Self {
            phase: Some(phase),
            ..Self::new(Code::RuntimeTimedOut, effect)
        }
    }

    /// What a failure says, as far as the table is about it.
    #[must_use]
    pub fn of(failure: &yoi_protocol::Failure) -> Self {
        Self {
            code: failure.code,
            reason: failure.details.reason,
            phase: failure.details.phase,
            effect: failure.effect,
        }
    }
}

impl fmt::Display for LinkRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        if let Some(reason) = self.reason {
            write!(f, " {}", reason.as_str())?;
        }
        if let Some(phase) = self.phase {
            write!(f, " {}", phase.as_str())?;
        }
        f.write_str(match self.effect {
            Effect::None => " none",
            Effect::Unknown => " unknown",
        })
    }
}

impl Fault {
    /// What becomes of an operation to which this happens, by the contract's link table.
    ///
    /// What a Backend makes of it by trying again, or with its circuit, comes on top.
    #[must_use]
    pub fn outcome(self, operation: Operation) -> Outcome {
        let is_read = !operation.is_command() && operation != Operation::Events;
        match self.row() {
            // Reads go on to the end.
            _ if self == Self::RuntimeDrains && is_read => Outcome::Unharmed,
            // The run was told to end before the store was asked to remember it.
            Outcome::Fails(row) if self == Self::StoreRefuses && operation == Operation::Cancel => {
                Outcome::Fails(LinkRow {
                    effect: Effect::Unknown,
                    ..row
                })
            }
            // Nobody asks what a read has done.
            Outcome::Fails(row) if !operation.is_command() => Outcome::Fails(LinkRow {
                effect: Effect::None,
                ..row
            }),
            outcome => outcome,
        }
    }

    fn row(self) -> Outcome {
        use Effect::{None, Unknown};
        let garbled = LinkRow::new(Code::RuntimeProtocolError, Unknown);
        let row = match self {
            Self::NameDoesNotResolve => LinkRow::unreachable(Reason::Dns, None),
            Self::ConnectionRefused => LinkRow::unreachable(Reason::Refused, None),
            Self::TlsHandshakeFails => LinkRow::unreachable(Reason::Tls, None),
            Self::ConnectNeverCompletes => LinkRow::timed_out(Phase::Connect, None),
            Self::RequestLost
            | Self::ClosedBeforeHead
            | Self::ResetBeforeHead
            | Self::ClosedInHead
            | Self::ResetInHead
            | Self::ClosedInBody
            | Self::ResetInBody => LinkRow::unreachable(Reason::Reset, Unknown),
            Self::NoHead | Self::HeadStalls => LinkRow::timed_out(Phase::Response, Unknown),
            Self::BodyStalls | Self::BodyTrickles => LinkRow::timed_out(Phase::Body, Unknown),
            Self::SlowHead | Self::SlowBody | Self::BodyInPieces | Self::CredentialRotated => {
                return Outcome::Unharmed;
            }
            Self::OversizedBody
            | Self::TruncatedJson
            | Self::NotHttp
            | Self::Redirected
            | Self::AnonymousAnswer
            | Self::NotJson
            | Self::AnotherShape
            | Self::AnotherRuntimesBody
            | Self::AnotherWorkersAnswer => garbled,
            Self::UpgradeStripped => LinkRow::new(Code::RuntimeProtocolError, None),
            Self::AnotherRuntimesAnswer | Self::AnotherRuntimesProblem => {
                LinkRow::new(Code::RuntimeIdentityMismatch, Unknown)
            }
            // What is not coded is read by its status, whatever its body says.
            Self::ProblemOfAnotherStatus => uncoded(502),
            Self::UnsignedProblem => uncoded(Code::WorkerNotFound.status()),
            Self::UnknownCode => uncoded(Code::StoreFailed.status()),
            // Who does not say that nothing was done is not taken to have said it.
            Self::ProblemWithoutEffect | Self::StoreFailedUncertain => {
                LinkRow::new(Code::StoreFailed, Unknown)
            }
            Self::TimedOutUncertain => LinkRow::new(Code::TimedOut, Unknown),
            Self::Uncoded(status) => uncoded(status),
            Self::Coded(code) => coded(code),
            Self::StreamClosed | Self::StreamReset | Self::ResetInFrame => {
                return Outcome::Breaks(LinkRow::unreachable(Reason::Reset, None));
            }
            Self::HalfOpen | Self::NoPong => {
                return Outcome::Breaks(LinkRow::timed_out(Phase::Body, None));
            }
            Self::EventsSwapped
            | Self::EventSkipped
            | Self::OversizedFrame
            | Self::NotAFrame
            | Self::BinaryMessage
            | Self::BrokenFrame
            | Self::AnotherWorkersFrame => {
                return Outcome::Breaks(LinkRow::new(Code::RuntimeProtocolError, None));
            }
            Self::EventTwice | Self::UnknownEventType | Self::FrameInPieces => {
                return Outcome::Unharmed;
            }
            Self::CredentialExpires => {
                return Outcome::Breaks(LinkRow::new(Code::RuntimeAuthFailed, None));
            }
            Self::CursorExpires => return Outcome::Breaks(LinkRow::new(Code::CursorExpired, None)),
            Self::CursorForgotten => {
                return Outcome::Breaks(LinkRow::new(Code::CursorUnknown, None));
            }
            Self::WorkerForgotten => {
                return Outcome::Breaks(LinkRow::new(Code::WorkerNotFound, None));
            }
            Self::StreamFails => return Outcome::Breaks(LinkRow::new(Code::RuntimeFailed, None)),
            Self::StreamDrains => return Outcome::Ends(StreamEnd::Draining),
            Self::ReaderTooSlow => return Outcome::Ends(StreamEnd::SlowConsumer),
            Self::EndsBeforeStopped => return Outcome::Ends(StreamEnd::Complete),
            Self::StoreRefuses | Self::ReadFails => LinkRow::new(Code::StoreFailed, None),
            Self::StoreUncertain => LinkRow::new(Code::StoreFailed, Unknown),
            Self::WriteHangs | Self::ReadHangs => LinkRow::new(Code::TimedOut, Unknown),
            Self::WorkersAtLimit | Self::RunsAtLimit | Self::StreamsAtLimit | Self::KeysAtLimit => {
                LinkRow::new(Code::LimitReached, None)
            }
            Self::ClockStepsBack | Self::ClockLeapsAhead => return Outcome::Unharmed,
            Self::RuntimeDrains => LinkRow::unavailable(Reason::Draining, None),
        };
        Outcome::Fails(row)
    }
}

/// The rows for an answer that nobody signed.
fn uncoded(status: u16) -> LinkRow {
    match status {
        421 => LinkRow::new(Code::RuntimeIdentityMismatch, Effect::Unknown),
        401 | 403 => LinkRow::new(Code::RuntimeAuthFailed, Effect::None),
        404 | 405 | 501 => LinkRow::new(Code::OperationUnsupported, Effect::None),
        429 | 503 => LinkRow::unavailable(Reason::Overloaded, Effect::Unknown),
        408 => LinkRow::timed_out(Phase::Response, Effect::Unknown),
        400..=499 => LinkRow::new(Code::RuntimeProtocolError, Effect::None),
        500..=599 => LinkRow::new(Code::RuntimeFailed, Effect::Unknown),
        _ => panic!("{status} is no error status: Fault::Uncoded is for 400 to 599"),
    }
}

/// The rows for an answer that the Runtime signed.
fn coded(code: Code) -> LinkRow {
    match code {
        Code::InvalidRequest
        | Code::CursorInvalid
        | Code::RouteNotFound
        | Code::RuntimeNotFound
        | Code::WorkerNotFound
        | Code::WorkerAlreadyExists
        | Code::WorkerBusy
        | Code::WorkerStopped
        | Code::CursorExpired
        | Code::CursorUnknown
        | Code::PayloadTooLarge
        | Code::UnsupportedMediaType
        | Code::IdempotencyConflict
        | Code::LimitReached
        | Code::StoreFailed
        | Code::TimedOut
        | Code::OperationUnsupported => LinkRow::new(code, Effect::None),
        Code::Unauthorized | Code::ForbiddenOrigin | Code::OperationDenied => {
            LinkRow::new(Code::RuntimeAuthFailed, Effect::None)
        }
        Code::MisdirectedRequest => LinkRow::new(Code::RuntimeIdentityMismatch, Effect::None),
        Code::Unavailable => LinkRow::unavailable(Reason::Draining, Effect::None),
        // The table has no row for these two words, so they are read by their status.
        Code::MethodNotAllowed | Code::UpgradeRequired => uncoded(code.status()),
        Code::Internal
        | Code::RuntimeUnreachable
        | Code::RuntimeIdentityMismatch
        | Code::RuntimeAuthFailed
        | Code::RuntimeProtocolError
        | Code::RuntimeFailed
        | Code::RuntimeUnavailable
        | Code::RuntimeTimedOut => {
            LinkRow::new(Code::RuntimeFailed, problems::failure(code, None).effect)
        }
    }
}
