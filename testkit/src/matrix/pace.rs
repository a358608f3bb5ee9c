//! How long things may take.

use std::time::Duration;

use yoi_client::{RetryPolicy, Timeouts};

use crate::Fault;

/// How patient the Backend of the matrix and its Runtime are, and how much happens at a time.
///
/// A time is short only where the fault lets it pass: what is refused, cut or garbled is so however
/// long anybody would have waited, and a busy machine must not make a silence of it.
///
/// ```
/// use yoi_testkit::matrix::Pace;
///
/// let mut gentle = Pace::default();
/// gentle.stages_at_once = 4;
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Pace {
    /// The Backend's times for each part of a call, where a fault makes it wait for that part.
    pub timeouts: Timeouts,
    /// How often the Backend tries.
    pub retry: RetryPolicy,
    /// How long an observation may be silent before the Backend counts it as lost, where it falls
    /// silent.
    pub idle: Duration,
    /// How long a Runtime waits for its store, where that hangs.
    pub operation: Duration,
    /// How late is late, but in time.
    pub slow: Duration,
    /// How long a watcher who has seen all that it should waits for what it should not. Less than
    /// half of `idle`, after which the Backend asks whether anybody is there.
    pub quiet: Duration,
    /// How long everybody waits for all else. Of an answer that comes at once it is half of this
    /// before it counts as late.
    pub patience: Duration,
    /// How many Backends there are at a time.
    pub stages_at_once: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            timeouts: Timeouts {
                connect: Duration::from_millis(1000),
                response: Duration::from_millis(2000),
                request: Duration::from_secs(5),
            },
            retry: RetryPolicy {
                max_attempts: 2,
                base: Duration::from_millis(1),
                max: Duration::from_millis(2),
                ..RetryPolicy::default()
            },
            idle: Duration::from_secs(4),
            operation: Duration::from_millis(250),
            slow: Duration::from_millis(20),
            quiet: Duration::from_millis(1500),
            patience: Duration::from_secs(60),
            stages_at_once: 16,
        }
    }
}

/// What a fault makes somebody wait for, in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// A connection.
    Connection,
    /// The head of an answer, or more of its body.
    Answer,
    /// The end of an answer.
    End,
    /// Anything on a stream.
    Stream,
    /// The store.
    Store,
}

impl Awaited {
    fn under(fault: Fault) -> Option<Self> {
        match fault {
            Fault::ConnectNeverCompletes => Some(Self::Connection),
            Fault::NoHead | Fault::HeadStalls | Fault::BodyStalls => Some(Self::Answer),
            Fault::BodyTrickles => Some(Self::End),
            Fault::HalfOpen | Fault::NoPong => Some(Self::Stream),
            Fault::WriteHangs | Fault::ReadHangs => Some(Self::Store),
            _ => None,
        }
    }
}

impl Pace {
    /// Whether somebody waits in vain while this happens.
    pub(super) fn passes_time(fault: Fault) -> bool {
        Awaited::under(fault).is_some()
    }

    /// The pace while this happens: short where it lets a time pass, and patient everywhere else.
    pub(super) fn during(&self, fault: Fault) -> Self {
        let awaited = Awaited::under(fault);
        let only = |what: Awaited, short: Duration| match awaited == Some(what) {
            true => short,
            false => self.patience,
        };
        Self {
            timeouts: Timeouts {
                connect: only(Awaited::Connection, self.timeouts.connect),
                response: only(Awaited::Answer, self.timeouts.response),
                request: only(Awaited::End, self.timeouts.request),
            },
            idle: only(Awaited::Stream, self.idle),
            operation: only(Awaited::Store, self.operation),
            ..*self
        }
    }
}
