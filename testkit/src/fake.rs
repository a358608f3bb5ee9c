//! Runtimes that are not there: what they answer is what the test says.

mod answer;
mod events;
mod front;
mod gate;
mod knock;
mod received;
mod routes;
mod runtime;
mod stub;
mod stubbed;
mod unexpected;

pub use events::Observer;
pub use knock::{Knock, Observers};
pub use received::Received;
pub use runtime::{FakeRuntime, FakeRuntimeBuilder};
pub use stub::Stub;
pub use stubbed::Stubbed;
