//! To which operations a fault can happen.

use yoi_protocol::Operation;

use super::Fault;
use super::answer::names;
use crate::link::answer::Answer;

/// What a fault needs, to happen to an operation.
enum Needs {
    /// Nothing: it can happen to each.
    Nothing,
    /// An answer with a body: an observation has none.
    ABody,
    /// An answer with a body that names the Runtime.
    TheRuntimesName,
    /// An answer about one Worker.
    OneWorker,
    /// A stream.
    AStream,
    /// Something to write.
    AWrite,
    /// Something to read from the store.
    ARead,
    /// A new Worker.
    ANewWorker,
    /// A new run.
    ANewRun,
}

impl Fault {
    /// Whether it can happen to an operation at all.
    ///
    /// ```
    /// use yoi_protocol::Operation;
    /// use yoi_testkit::Fault;
    ///
    /// assert!(Fault::ResetInBody.applies_to(Operation::SendInput));
    /// assert!(!Fault::EventTwice.applies_to(Operation::SendInput));
    /// ```
    #[must_use]
    pub fn applies_to(self, operation: Operation) -> bool {
        self.why_not(operation).is_none()
    }

    /// Why it cannot happen to an operation; `None` when it can.
    #[must_use]
    pub fn why_not(self, operation: Operation) -> Option<&'static str> {
        use Operation::{CreateWorker, Events, ListWorkers, SendInput, Transcript};
        let (met, why_not) = match self.needs() {
            Needs::Nothing => (true, ""),
            Needs::ABody | Needs::TheRuntimesName => (
                operation != Events,
                "an observation is answered without a body",
            ),
            Needs::OneWorker => (
                !matches!(operation, Events | ListWorkers),
                "its answer is not about one Worker",
            ),
            Needs::AStream => (operation == Events, "only an observation is a stream"),
            Needs::AWrite => (operation.is_command(), "a read writes nothing"),
            Needs::ARead => (
                matches!(operation, Transcript | Events),
                "it is answered from memory",
            ),
            Needs::ANewWorker => (operation == CreateWorker, "it takes no place for a Worker"),
            Needs::ANewRun => (operation == SendInput, "it takes no place for a run"),
        };
        (!met).then_some(why_not)
    }

    /// Whether it can happen to a request that is no operation on Workers, such as a look at the
    /// Runtime: that is answered with a body, and about no Worker.
    pub(crate) fn applies_to_a_look(self) -> bool {
        match self.needs() {
            Needs::Nothing | Needs::ABody | Needs::TheRuntimesName => true,
            Needs::OneWorker
            | Needs::AStream
            | Needs::AWrite
            | Needs::ARead
            | Needs::ANewWorker
            | Needs::ANewRun => false,
        }
    }

    /// Whether an answer has what it needs to be spoiled.
    pub(crate) fn can_spoil(self, answer: &Answer) -> bool {
        match self.needs() {
            Needs::ABody => !answer.body.is_empty(),
            Needs::TheRuntimesName => names(answer, "runtime_id"),
            Needs::OneWorker => names(answer, "worker_id"),
            Needs::Nothing
            | Needs::AStream
            | Needs::AWrite
            | Needs::ARead
            | Needs::ANewWorker
            | Needs::ANewRun => true,
        }
    }

    fn needs(self) -> Needs {
        match self {
            Self::NameDoesNotResolve
            | Self::ConnectionRefused
            | Self::TlsHandshakeFails
            | Self::ConnectNeverCompletes
            | Self::RequestLost
            | Self::ClosedBeforeHead
            | Self::ResetBeforeHead
            | Self::ClosedInHead
            | Self::ResetInHead
            | Self::NoHead
            | Self::HeadStalls
            | Self::SlowHead
            | Self::NotHttp
            | Self::Redirected
            | Self::AnonymousAnswer
            | Self::AnotherRuntimesAnswer
            | Self::ProblemOfAnotherStatus
            | Self::UnsignedProblem
            | Self::UnknownCode
            | Self::AnotherRuntimesProblem
            | Self::ProblemWithoutEffect
            | Self::StoreFailedUncertain
            | Self::TimedOutUncertain
            | Self::CredentialRotated
            | Self::ClockStepsBack
            | Self::ClockLeapsAhead
            | Self::RuntimeDrains
            | Self::Uncoded(_)
            | Self::Coded(_) => Needs::Nothing,
            Self::ClosedInBody
            | Self::ResetInBody
            | Self::BodyStalls
            | Self::BodyTrickles
            | Self::SlowBody
            | Self::BodyInPieces
            | Self::OversizedBody
            | Self::TruncatedJson
            | Self::NotJson
            | Self::AnotherShape => Needs::ABody,
            Self::AnotherRuntimesBody => Needs::TheRuntimesName,
            Self::AnotherWorkersAnswer => Needs::OneWorker,
            Self::UpgradeStripped
            | Self::StreamClosed
            | Self::StreamReset
            | Self::ResetInFrame
            | Self::HalfOpen
            | Self::NoPong
            | Self::EventTwice
            | Self::EventsSwapped
            | Self::EventSkipped
            | Self::OversizedFrame
            | Self::NotAFrame
            | Self::BinaryMessage
            | Self::BrokenFrame
            | Self::AnotherWorkersFrame
            | Self::UnknownEventType
            | Self::FrameInPieces
            | Self::CredentialExpires
            | Self::CursorExpires
            | Self::CursorForgotten
            | Self::WorkerForgotten
            | Self::StreamDrains
            | Self::ReaderTooSlow
            | Self::StreamFails
            | Self::EndsBeforeStopped
            | Self::StreamsAtLimit => Needs::AStream,
            Self::StoreRefuses | Self::StoreUncertain | Self::WriteHangs | Self::KeysAtLimit => {
                Needs::AWrite
            }
            Self::ReadFails | Self::ReadHangs => Needs::ARead,
            Self::WorkersAtLimit => Needs::ANewWorker,
            Self::RunsAtLimit => Needs::ANewRun,
        }
    }
}
