//! Why nothing could be checked.

use std::fmt;

use yoi_client::{CallError, ClientConfigError};

/// Why nothing could be checked. Never repeats the address or the token.
#[derive(Debug)]
pub enum CheckError {
    /// The address is none, or cannot be used from here.
    Address(ClientConfigError),
    /// The token cannot stand in a header.
    Token,
    /// The token would go over plain HTTP to elsewhere than this machine.
    PlainHttp,
    /// Nobody answers at the address, or not in time, or not to this token.
    Unanswered(Box<CallError>),
    /// Whoever answers is no Runtime.
    NoRuntime {
        /// Whether it is a Backend.
        is_backend: bool,
    },
    /// A profile that was named is not there, or cannot be run.
    Profile(ProfileError),
    /// It is shutting down, and takes no commands.
    Draining,
}

/// A profile that cannot be used, and those that can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileError {
    /// What was named; `None` for the default of the Runtime.
    pub(crate) name: Option<String>,
    /// What the Runtime publishes.
    pub(crate) published: Vec<String>,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::Token => f.write_str("the token must be visible ASCII characters"),
            Self::PlainHttp => f.write_str(
                "over http:// to elsewhere than this machine everyone on the way can read the token",
            ),
            Self::Unanswered(error) => error.fmt(f),
            Self::NoRuntime { is_backend: true } => {
                f.write_str("this is a Backend: give the base URL of one of its Runtimes")
            }
            Self::NoRuntime { is_backend: false } => f.write_str(
                "no Runtime answers here: give the Runtime's base URL, without a path like /v1",
            ),
            Self::Profile(error) => error.fmt(f),
            Self::Draining => f.write_str("it is draining"),
        }
    }
}

impl std::error::Error for CheckError {}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) if self.published.contains(name) => {
                write!(f, "the profile {name} cannot be run")?;
            }
            Some(name) => write!(f, "there is no profile {name}")?,
            None => f.write_str("there is no default profile that can be run: name one")?,
        }
        match &*self.published {
            [] => f.write_str(": this Runtime publishes none"),
            some => write!(f, ": this Runtime has {}", some.join(", ")),
        }
    }
}
