//! Test yoi, and what is built on it.
//!
//! - [`TestRuntime`] is a Runtime with its server, on a port of its own, that can be stopped in
//!   order, killed and started again, and ends when it is dropped.
//! - [`TestBackend`] is a Backend with its server, over Runtimes inside it and [`TestRuntime`]s.
//! - [`Browser`] talks to it: typed, or with requests that the test writes; it hangs up when told.
//! - [`Watcher`] remembers what an observer saw.
//! - [`RemoteRuntime`] is all that such a Backend can be pointed at.
//! - [`TestStore`] keeps what was acknowledged from one Runtime to the next, and fails when told.
//! - [`ManualClock`] and [`SequentialIds`] make a Runtime do the same in every run.
//! - [`ScriptedExecutor`] is what its Workers run: it says what the test tells it to, when the
//!   test tells it to.
//! - [`FakeRuntime`] is a Runtime that is not there: it answers what the test says, and
//!   those who observe its Workers see what the test says.
//! - [`FaultProxy`] is a link that goes wrong, [`RuntimeFaults`] a Runtime that does: each [`Fault`] of a
//!   closed list, held by a guard that fails the test if it never happened (`FAULTS.md`).
//! - [`RawPeer`] says on the wire what no library would.
//! - [`fixtures`] is the wire, written down: a JSON text for each body and frame of the contract.
//! - `strategies`, behind the feature of that name, are proptest strategies for every type of the
//!   wire, and for what nobody should say.
//! - [`contract`] holds any store, and any handle or URL of a Runtime, to what is promised.
//! - `matrix`, with the servers, asks a Backend for every operation under every fault.
//! - [`Process`] is a server in a process of its own, ended with the test.
//! - [`in_real_time`] runs what a test with paused time asks of a server.
//! - [`Fuzz`] tries case after case, each from a seed that is told when it fails.
//! - [`eventually`] waits for a condition, and shows its last state when it never comes true.
//! - [`Canaries`] plants secrets, and fails the test where one of them shows.
//!
//! Whatever goes wrong panics with a message that says what was expected of whom: these are tools
//! for tests.
//!
#![cfg_attr(feature = "servers", doc = "```")]
#![cfg_attr(not(feature = "servers"), doc = "```text")]
//! use yoi_testkit::{ScriptedExecutor, TestRuntime, eventually};
//! use yoi_client::Call;
//! use yoi_protocol::{CreateWorker, InputRequest, WorkerStatus};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (executor, mut script) = ScriptedExecutor::new();
//! let runtime = TestRuntime::builder("gpu-1")
//!     .executor(executor)
//!     .start()
//!     .await;
//! let (workers, call) = (runtime.workers(), Call::default());
//!
//! let worker = workers.create(&CreateWorker::default(), &call).await.unwrap().value;
//! workers.input(&worker.worker_id, &InputRequest::new("hi"), &call).await.unwrap();
//!
//! let run = script.next_run().await;
//! assert_eq!(run.input(), "hi");
//! run.say("hello").await;
//! run.complete();
//!
//! eventually("the worker is idle again", async || {
//!     let worker = workers.get(&worker.worker_id, &call).await.unwrap().value;
//!     match worker.status {
//!         WorkerStatus::Idle => Ok(()),
//!         WorkerStatus::Running | WorkerStatus::Stopped => Err(worker),
//!     }
//! })
//! .await;
//! runtime.stop().await;
//! # }
//! ```

#[cfg(feature = "servers")]
mod browser;
mod canaries;
mod clock;
pub mod contract;
#[cfg(feature = "servers")]
mod engine;
mod eventually;
#[cfg(feature = "servers")]
mod fake;
#[cfg(feature = "servers")]
mod fault;
pub mod fixtures;
mod fuzz;
#[cfg(feature = "servers")]
mod host;
#[cfg(feature = "servers")]
mod link;
#[cfg(feature = "servers")]
pub mod matrix;
mod patience;
mod process;
#[cfg(feature = "servers")]
mod raw_peer;
#[cfg(feature = "servers")]
mod reach;
#[cfg(feature = "servers")]
mod retell;
#[cfg(feature = "servers")]
mod runtime_faults;
mod scripted;
mod store;
#[cfg(feature = "strategies")]
pub mod strategies;
#[cfg(feature = "servers")]
mod test_backend;
#[cfg(feature = "servers")]
mod test_runtime;
#[cfg(feature = "servers")]
mod verdict;
mod watcher;

#[cfg(feature = "servers")]
pub use browser::{Ask, Browser, PendingRequest, Reply};
pub use canaries::Canaries;
pub use clock::{ManualClock, SequentialIds};
#[cfg(feature = "servers")]
pub use engine::in_real_time;
pub use eventually::{eventually, eventually_within};
#[cfg(feature = "servers")]
pub use fake::{
    FakeEventStream, FakeEvents, FakeRuntime, FakeRuntimeBuilder, MountedStub, PendingUpgrade,
    Received, Stub,
};
#[cfg(feature = "servers")]
pub use fault::{Family, Fault, Injection, LinkRow, Outcome};
pub use fuzz::Fuzz;
#[cfg(feature = "servers")]
pub use link::{Exchange, FaultProxy, FaultProxyBuilder, InjectedFault, Step};
pub use process::Process;
#[cfg(feature = "servers")]
pub use raw_peer::RawPeer;
#[cfg(feature = "servers")]
pub use reach::RemoteRuntime;
#[cfg(feature = "servers")]
pub use runtime_faults::{InjectedRuntimeFault, RuntimeFaults, RuntimeSite};
pub use scripted::{Script, ScriptedExecutor, ScriptedRun};
pub use store::{Reads, TestStore};
#[cfg(feature = "servers")]
pub use test_backend::{TestBackend, TestBackendBuilder};
#[cfg(feature = "servers")]
pub use test_runtime::{TestRuntime, TestRuntimeBuilder};
pub use watcher::{FrameSource, Watcher};
