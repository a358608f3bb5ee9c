//! Everything that can happen on a link, as a closed list.
//!
//! The list is `kind.rs`. What each fault does is in the file of its family, composed of the few
//! things that [`deed`] knows; what a Backend must make of it is [`outcome`]. All are matched
//! without a wildcard, so that a new fault does not compile until it does something and something
//! is expected of it. `FAULTS.md` walks through adding one.

mod answer;
mod body;
mod coded;
mod connect;
mod deed;
mod head;
mod injection;
mod inside;
mod kind;
mod meets;
mod outcome;
mod problem;
mod stream;

pub(crate) use answer::said;
pub(crate) use connect::Elsewhere;
pub(crate) use deed::{Deed, Scene};
pub use injection::Injection;
pub(crate) use inside::{Fill, Malady};
pub use kind::{Family, Fault};
pub use outcome::{LinkRow, Outcome};
pub(crate) use stream::{Change, Muted, Tamper};
