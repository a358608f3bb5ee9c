//! Where the Runtime of a cell is.

use std::fmt;

use yoi_protocol::Operation;

use crate::{Family, Fault};

/// Where the Runtime is that a Backend asks.
///
/// ```
/// use yoi_protocol::Operation;
/// use yoi_testkit::Fault;
/// use yoi_testkit::matrix::Place;
///
/// let why_not = |place: Place| place.why_not(Fault::NotHttp, Operation::Stop);
/// assert_eq!(why_not(Place::Remote), None);
/// assert!(why_not(Place::Embedded).is_some_and(|why| why.contains("nothing lies between")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// Inside the Backend's process: a [`Runtime`](worker_runtime::Runtime).
    Embedded,
    /// Behind a wire: a [`TestRuntime`](crate::TestRuntime).
    Remote,
    /// Behind a wire, and not there: a [`FakeRuntime`](crate::FakeRuntime).
    Fake,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 3] = [Self::Embedded, Self::Remote, Self::Fake];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Remote => "remote",
            Self::Fake => "fake",
        }
    }

    /// Why a fault cannot happen here to this operation, if it cannot.
    #[must_use]
    pub fn why_not(self, fault: Fault, operation: Operation) -> Option<&'static str> {
        let here = match (self, fault.family()) {
            (
                Self::Embedded,
                Family::Connect | Family::Head | Family::Body | Family::Answer | Family::Stream,
            ) => Some("nothing lies between a Backend and a Runtime inside its process"),
            (Self::Embedded, Family::Coded) => {
                Some("a Runtime inside says only its own words: the faults of the Runtime")
            }
            (Self::Fake, Family::Runtime) => {
                Some("a fake has nothing inside: what a Runtime says of it is a coded answer")
            }
            (Self::Embedded, Family::Runtime)
            | (
                Self::Remote,
                Family::Connect
                | Family::Head
                | Family::Body
                | Family::Answer
                | Family::Coded
                | Family::Stream
                | Family::Runtime,
            )
            | (
                Self::Fake,
                Family::Connect
                | Family::Head
                | Family::Body
                | Family::Answer
                | Family::Coded
                | Family::Stream,
            ) => None,
        };
        here.or_else(|| fault.why_not(operation))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
