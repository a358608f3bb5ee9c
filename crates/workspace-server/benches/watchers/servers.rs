//! A Runtime and a Backend, each as a process of its own.

use std::future::pending;
use std::net::SocketAddr;
use std::process::Command;

use tokio::net::TcpListener;
use worker_runtime::{ProfileSpec, Runtime, http};
use yoi_http_kit::{Browsers, OriginGuard};
use yoi_protocol::{Limits, RuntimeId};
use yoi_testkit::Process;
use yoi_workspace_server::{Backend, HttpSettings, Registration, RemoteSettings, serve};

use crate::load::Speaker;
use crate::process::Pid;

pub(crate) const RUNTIME: &str = "runtime";
pub(crate) const BACKEND: &str = "backend";

/// A server in a process of its own.
pub(crate) struct ServerProcess {
    process: Process,
    pub(crate) pid: Pid,
}

impl ServerProcess {
    pub(crate) fn runtime() -> Self {
        Self::start(&[RUNTIME])
    }

    pub(crate) fn backend(runtime: &Self) -> Self {
        Self::start(&[BACKEND, runtime.url()])
    }

    fn start(role: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut process = Process::start(command.args(role));
        let pid = Pid(process.line().parse().unwrap());
        Self { process, pid }
    }

    pub(crate) fn url(&self) -> &str {
        self.process.url()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.process.address()
    }
}

/// The only Runtime.
pub(crate) fn runtime_id() -> RuntimeId {
    RuntimeId::parse("gpu-1").unwrap()
}

/// Is the Runtime. Its limits are the default ones but for what a run may say, which is far more
/// than any Worker says at these rates.
pub(crate) async fn be_runtime() {
    let limits = Limits {
        max_run_output_bytes: u64::from(u32::MAX),
        ..Limits::default()
    };
    let runtime = Runtime::builder(runtime_id())
        .limits(limits)
        .profile("speaker", ProfileSpec::new(Speaker))
        .default_profile("speaker");
    let runtime = runtime.start().await.unwrap();
    let (listener, guard) = listen().await;
    let settings = HttpSettings::new(guard);
    http::serve(listener, runtime, settings, pending()).await;
}

/// Is the Backend, with everything as it is by default.
pub(crate) async fn be_backend(runtime: &str) {
    let remote = Registration::remote(runtime_id(), &RemoteSettings::new(runtime)).unwrap();
    let backend = Backend::builder().runtime(remote).build().unwrap();
    let (listener, guard) = listen().await;
    serve(listener, backend, HttpSettings::new(guard), pending()).await;
}

async fn listen() -> (TcpListener, OriginGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    println!("listening on http://{address}\n{}", std::process::id());
    let guard = OriginGuard::new(address, &[], &Browsers::Forbidden).unwrap();
    (listener, guard)
}
