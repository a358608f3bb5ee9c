//! What stands on the wire between a Backend and a Runtime.
//!
//! A request comes to the [`proxy`], is noted as an [`exchange`], and either passes or meets a
//! fault that is [`injected`]. [`detour`] is where a Backend is led astray before it connects,
//! [`stream`] where a WebSocket passes message by message. A fault is [`taken`] first, and counts when
//! it was done.

pub(crate) mod answer;
mod connection;
mod credential;
mod detour;
pub(crate) mod door;
mod exchange;
pub(crate) mod head;
mod injected;
pub(crate) mod message;
mod proxy;
mod shared;
pub(crate) mod step;
mod stream;
mod taken;

pub use exchange::Exchange;
pub use injected::InjectedFault;
pub use proxy::{FaultProxy, FaultProxyBuilder};
pub use step::Step;
