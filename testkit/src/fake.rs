//! Runtimes that are not there: what they answer is what the test says.

mod answer;
mod events;
mod front;
mod gate;
mod mounted;
mod received;
mod routes;
mod runtime;
mod shared;
mod stub;
mod unexpected;
mod upgrade;

pub use events::FakeEventStream;
pub use mounted::MountedStub;
pub use received::Received;
pub use runtime::{FakeRuntime, FakeRuntimeBuilder};
pub use stub::Stub;
pub use upgrade::{FakeEvents, PendingUpgrade};
