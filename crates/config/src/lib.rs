//! Configuration for yoi servers: one TOML file, an overlay from the environment, flags on top,
//! and secrets by reference.
//!
//! [`Loader`] puts the layers together and reads them into a type of the caller's: a flag wins
//! over a variable, a variable over the file, the file over the type's own defaults. Every fault
//! names where it comes from (`yoi.toml:12`, `YOI_SERVER__BIND`, `--bind`) and which key it is
//! about, all unknown keys are told at once, and no message ever repeats a value: what stands in
//! the wrong place may be a secret.
//!
//! Types that are read this way should avoid `#[serde(flatten)]`, which hides unknown keys, and
//! give `deny_unknown_fields` to enums with a `tag`.

mod bind;
mod elsewhere;
mod environment;
mod error;
mod loader;
mod overlay;
mod place;
mod read;
mod secret;
mod secret_ref;
mod secret_source;
mod tree;

pub use bind::BindAddress;
pub use elsewhere::Elsewhere;
pub use environment::Environment;
pub use error::{ConfigError, Fault};
pub use loader::{Loaded, Loader};
pub use place::Place;
pub use secret::Secret;
pub use secret_ref::SecretRef;
pub use secret_source::{SecretError, SecretSource};
