//! Observing a Worker over a WebSocket.

mod close;
mod open;
mod stream;

pub use stream::FrameStream;
