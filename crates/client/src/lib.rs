//! One typed client for yoi's two APIs: a Runtime's own, and a Backend's in front of many.
//!
//! The operations and bodies of both are the same, only the path prefix differs, so a
//! [`Client`] hands out [`Workers`] for either [`Api`](yoi_protocol::Api). A Backend reaches its
//! remote Runtimes through it, the command line reaches a Backend through it, and so can anyone.
//!
//! # What it guarantees
//!
//! - **A failure is typed.** Whatever happens on the way is one [`Failure`](yoi_protocol::Failure)
//!   by the contract's link table ([`classify`]), and says whether a command may have taken effect.
//! - **Nothing is done twice.** What may have taken effect is sent again only under the same
//!   idempotency key ([`retry`]); everything ends by a deadline.
//! - **Nothing leaks.** No error and no `Debug` shows the address or the credential, no redirect is
//!   followed, no proxy asked, and no answer is read past its cap.
//! - **Nothing waits for ever.** Connecting, the head, the body and an idle event stream each have
//!   their own time.
//!
//! ```no_run
//! use yoi_client::{Call, Client};
//! use yoi_protocol::{Api, InputRequest, RuntimeId, WorkerId};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("http://127.0.0.1:7400")?.build()?;
//! let workers = client.workers(Api::Backend(RuntimeId::parse("local")?));
//! let worker = WorkerId::parse("w-1")?;
//! let accepted = workers
//!     .input(&worker, &InputRequest::new("hello"), &Call::default())
//!     .await?;
//! let mut frames = workers
//!     .events(&worker, Some(&accepted.value.cursor), &Call::default())
//!     .await?;
//! while let Ok(frame) = frames.next().await {
//!     println!("{}", frame.to_text());
//! }
//! # Ok(())
//! # }
//! ```

mod ask;
mod attempts;
mod base;
mod body;
mod budget;
mod builder;
mod call;
mod caps;
pub mod classify;
mod client;
mod credential;
pub mod events;
mod fetch;
mod head;
pub mod retry;
pub mod transport;
mod workers;

pub use budget::RetryBudget;
pub use builder::{ClientBuilder, ClientConfigError, Timeouts};
pub use call::{Answer, Call, CallError};
pub use caps::Caps;
pub use classify::Perspective;
pub use client::Client;
pub use credential::{Credential, StaticToken};
pub use events::FrameStream;
pub use retry::RetryPolicy;
pub use secrecy::SecretString;
pub use transport::{HttpTransport, Transport};
pub use workers::Workers;
