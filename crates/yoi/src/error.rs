//! What can keep a command from being done, and how it is told.

use std::fmt;
use std::io;

use worker_runtime::store::fs::OpenError;
use yoi_client::{CallError, ClientConfigError};
use yoi_config::ConfigError;
use yoi_conformance::CheckError;
use yoi_protocol::{Code, Effect, Failure, IdempotencyKey, Reason, RunError, StreamEnd, Subject};

use crate::exit::Exit;

/// Why a command was not done.
#[derive(Debug)]
pub enum CliError {
    /// The command line asks for what cannot be.
    Usage(String),
    /// The configuration is wrong.
    Config(ConfigError),
    /// The Backend's address or the set-up of the client is wrong.
    Client(ClientConfigError),
    /// The Backend did not do it.
    Call(Box<CallError>),
    /// The Backend did not do what changes something, or perhaps it did.
    Command {
        /// How it failed.
        error: Box<CallError>,
        /// The key under which it was sent.
        key: Option<IdempotencyKey>,
    },
    /// The stream of events ended before it was complete.
    Stream {
        /// How it ended.
        end: StreamEnd,
        /// The command that goes on from there, where there is one.
        resume: Option<String>,
    },
    /// The run that was followed did not complete.
    Run(Option<RunError>),
    /// The Runtime that was checked could not be asked.
    Unchecked(Box<CallError>),
    /// The Runtime that was to be checked is shutting down.
    Draining,
    /// The Runtime that was checked breaks the contract.
    Broken {
        /// How many checks failed.
        failed: usize,
        /// Of how many.
        of: usize,
    },
    /// The Runtime was not checked to the end: the time was over, or it did not answer any more.
    CutShort {
        /// How many checks were made.
        made: usize,
        /// Of how many.
        of: usize,
    },
    /// The files of a store cannot be used.
    Store(OpenError),
    /// The files of a store are not as they were written.
    Damaged(String),
    /// A server could not start, or not end well.
    Server(String),
    /// A second signal came while it was shutting down.
    Interrupted,
    /// Standard input or output failed.
    Io(io::Error),
}

impl CliError {
    /// The exit code that belongs to it. Whoever closed our output has seen enough, which is no
    /// fault.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Config(_) | Self::Client(_) => Exit::Usage,
            Self::Call(error) | Self::Command { error, .. } | Self::Unchecked(error) => {
                error.failure.code.into()
            }
            Self::Stream { end, .. } => match end {
                StreamEnd::Complete => Exit::Done,
                StreamEnd::Failed(failure) => failure.code.into(),
                StreamEnd::Draining => Exit::Unreachable,
                StreamEnd::SlowConsumer | StreamEnd::ObservationOnly => Exit::Other,
            },
            Self::Draining | Self::CutShort { .. } => Exit::Unreachable,
            Self::Store(error) => match error {
                OpenError::Absent | OpenError::Unusable { .. } | OpenError::OtherRuntime { .. } => {
                    Exit::Usage
                }
                OpenError::Busy { .. } | OpenError::Ours => Exit::Conflict,
                OpenError::Newer { .. }
                | OpenError::Damaged { .. }
                | OpenError::Missing { .. }
                | OpenError::Lost { .. }
                | OpenError::Inconsistent { .. } => Exit::Other,
            },
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Run(_)
            | Self::Broken { .. }
            | Self::Damaged(_)
            | Self::Server(_)
            | Self::Interrupted
            | Self::Io(_) => Exit::Other,
        }
    }
}

/// Whether a stream that ended so can go on after its last cursor.
fn goes_on(end: &StreamEnd) -> bool {
    match end {
        StreamEnd::Failed(failure) => !matches!(
            failure.code,
            Code::CursorInvalid
                | Code::CursorUnknown
                | Code::CursorExpired
                | Code::WorkerNotFound
                | Code::RuntimeNotFound
                | Code::OperationDenied
                | Code::OperationUnsupported
        ),
        StreamEnd::Complete
        | StreamEnd::Draining
        | StreamEnd::SlowConsumer
        | StreamEnd::ObservationOnly => true,
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Damaged(message) | Self::Server(message) => {
                f.write_str(message)
            }
            Self::Store(error) => error.fmt(f),
            Self::Config(error) => error.fmt(f),
            Self::Client(error) => error.fmt(f),
            Self::Call(error) => told(error, f),
            Self::Command { error, key } => {
                told(error, f)?;
                effect(error.failure.effect, key.as_ref(), f)
            }
            Self::Stream { end, resume } => {
                match end {
                    StreamEnd::Failed(failure) => write!(f, "{}: {failure}", failure.code)?,
                    end => match end.diagnostic(&Subject::default()) {
                        Some(told) => write!(f, "{}: {}", told.code, told.message)?,
                        None => f.write_str("the stream ended: the worker is stopped")?,
                    },
                }
                match resume {
                    Some(command) if goes_on(end) => write!(f, "\ngo on with: {command}"),
                    Some(_) | None => Ok(()),
                }
            }
            Self::Run(Some(error)) => {
                write!(f, "the run failed: {}: {}", error.code, error.message)
            }
            Self::Run(None) => f.write_str("the run was cancelled"),
            Self::Unchecked(error) => match &error.problem {
                Some(problem) => write!(f, "{}: {}", problem.code, problem.detail),
                None => unasked(&error.failure, f),
            },
            Self::Draining => f.write_str("it is draining"),
            Self::Broken { failed, of } => {
                write!(
                    f,
                    "the contract is not kept: {failed} of {of} checks failed"
                )
            }
            Self::CutShort { made, of } => {
                write!(
                    f,
                    "the runtime was not checked to the end: {made} of {of} checks were made"
                )
            }
            Self::Interrupted => f.write_str("interrupted again: gone without shutting down"),
            Self::Io(error) => write!(f, "standard input or output: {error}"),
        }
    }
}

/// The server's own words, where there are any.
fn told(error: &CallError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match &error.problem {
        Some(problem) => write!(f, "{}: {}", problem.code, problem.detail),
        None => unanswered(&error.failure, f),
    }
}

/// What a failed command did, and how it can be run again.
fn effect(effect: Effect, key: Option<&IdempotencyKey>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (effect, key) {
        (Effect::None, _) => f.write_str("\neffect: none: nothing was changed"),
        (Effect::Unknown, Some(key)) => write!(
            f,
            "\neffect: unknown: it may be done; safe to run again with --key {key}"
        ),
        (Effect::Unknown, None) => {
            f.write_str("\neffect: unknown: it may be done; look before running it again")
        }
    }
}

/// No problem came back: it is the Backend itself that was not understood or not there.
fn unanswered(failure: &Failure, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let what = match failure.code {
        Code::RuntimeUnreachable => match failure.details.reason {
            Some(Reason::Dns) => "the Backend's name does not resolve",
            Some(Reason::Tls) => "the TLS handshake with the Backend failed",
            Some(Reason::Reset) => "the Backend closed the connection before it had answered",
            Some(Reason::Refused | Reason::Draining | Reason::Overloaded | Reason::CircuitOpen)
            | None => {
                "nothing answers at the Backend's address; is `yoi serve` running? \
                 (--backend or YOI_BACKEND name another)"
            }
        },
        Code::RuntimeTimedOut => "the Backend did not answer in time",
        Code::RuntimeProtocolError => "what answered is not a yoi Backend",
        code => return write!(f, "{code}: {failure}"),
    };
    write!(f, "{}: {what}", failure.code)
}

/// No problem came back: there is no Runtime that could be checked.
fn unasked(failure: &Failure, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let what = match (failure.code, failure.details.reason) {
        (Code::RuntimeUnreachable, Some(Reason::Dns)) => "the name does not resolve",
        (Code::RuntimeUnreachable, Some(Reason::Tls)) => "the TLS handshake failed",
        (Code::RuntimeUnreachable, Some(Reason::Reset)) => {
            "the connection was closed before an answer had come"
        }
        (Code::RuntimeUnreachable, _) => "nothing answers at this address",
        (Code::RuntimeTimedOut, _) => "there was no answer in time",
        (code, _) => return write!(f, "{code}: {failure}"),
    };
    write!(f, "{}: {what}", failure.code)
}

impl std::error::Error for CliError {}

impl From<CheckError> for CliError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Address(error) => Self::Client(error),
            error @ CheckError::Token => Self::Usage(error.to_string()),
            CheckError::PlainHttp => Self::Usage(format!("{error} (--allow-plain-http)")),
            CheckError::Unanswered(error) => Self::Unchecked(error),
            error @ (CheckError::NoRuntime { .. } | CheckError::Profile(_)) => {
                Self::Usage(error.to_string())
            }
            CheckError::Draining => Self::Draining,
        }
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<OpenError> for CliError {
    fn from(error: OpenError) -> Self {
        Self::Store(error)
    }
}

impl From<CallError> for CliError {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<ClientConfigError> for CliError {
    fn from(error: ClientConfigError) -> Self {
        Self::Client(error)
    }
}
