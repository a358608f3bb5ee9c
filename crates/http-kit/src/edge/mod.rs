//! What stands round a router: one function, and the checks in the order in which they are made.

mod addressee;
mod cors;
mod guard;
mod in_flight;
mod layer;
mod observed;
mod panic;
mod problem;
mod request_id;
mod settings;
mod tokens;

pub use guard::{Browsers, GuardConfigError, OriginGuard};
pub use layer::edge;
pub use settings::{EdgeSettings, SourceNames};
pub use tokens::{SecretReader, TokenSet};

pub(crate) use observed::Arrival;
pub(crate) use settings::BodyBounds;
