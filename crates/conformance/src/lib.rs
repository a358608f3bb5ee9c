//! Checks whether a running Runtime keeps the contract, whoever wrote it and in which language.
//!
//! Each promise of the contract that can be seen from outside is one [`Check`]: a small function
//! that asks the Runtime something and says whether the answer is what was promised. [`check`]
//! runs all of them against a [`Target`] and gives a [`Report`]; the command `yoi check-runtime`
//! prints it.
//!
//! The checks come in two halves:
//!
//! - [`semantics`] needs no wire. It asks any [`Subject`]: a Runtime over HTTP is one
//!   ([`OverHttp`]), and so can be whatever else runs Workers.
//! - [`wire`] asks over HTTP what only bytes can tell: heads, problems, guards, closes.
//!
//! # What it does to the Runtime
//!
//! It creates Workers, all of whose ids begin with [`PREFIX`] but for the few that the Runtime
//! names itself, and stops every one of them. There is no way to remove a Worker, so they stay in
//! the list, stopped, until the Runtime forgets them; those that cannot be stopped are named in the
//! report. Nothing else is touched: what other callers
//! do at the same time is neither disturbed nor mistaken for a breach.
//!
//! # What it cannot see
//!
//! What happens when a Runtime is killed, drained, or filled to its limits, and what a slow reader
//! costs it. Those need the process, not its API.
//!
//! ```no_run
//! use yoi_conformance::{Target, check};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let target = Target::new("http://127.0.0.1:7401").profile("echo");
//! let report = check(&target).await?;
//! for check in report.failed() {
//!     println!("{} does not hold: {}", check.name, check.promise);
//! }
//! # Ok(())
//! # }
//! ```

mod bench;
mod catalogue;
mod course;
mod error;
mod first;
mod heard;
mod minded;
mod over_http;
mod report;
mod scrub;
pub mod semantics;
mod sse;
mod subject;
mod target;
mod unmet;
mod watch;
pub mod wire;

pub use bench::{Bench, PREFIX};
pub use catalogue::Check;
pub use error::{CheckError, ProfileError};
pub use over_http::OverHttp;
pub use report::{Checked, Outcome, Report, RuntimeSeen};
pub use subject::{Done, Frames, Subject};
pub use target::{Target, check, check_telling};
pub use unmet::{Unmet, Verdict};
