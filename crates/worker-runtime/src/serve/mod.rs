//! The process: reads its configuration, binds, serves one Runtime, and ends in order.
//!
//! The binary `worker-runtime` and `yoi runtime` are both [`run`] with the same flags. A process
//! holds one Runtime; Backends connect to it, browsers never do.

mod args;
mod file;
mod plan;
mod reserved;
mod signals;
mod telemetry;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio_util::sync::CancellationToken;
use yoi_config::{ConfigError, Environment};
pub use yoi_http_kit::health::MetricsText;

pub use args::{LogArgs, LogFormat, RuntimeArgs};
pub use file::{DEFAULT_FILE, layers};
pub use reserved::Reserved;
pub use signals::Signals;
pub use telemetry::{install_log, install_metrics};

use crate::StartError;
use crate::http;
use plan::Plan;

/// What a process lends to the Runtime that it serves.
pub struct Host<'a> {
    /// Renders the process's metrics.
    pub metrics: MetricsText,
    /// Told the address once it takes connections.
    pub announce: Box<dyn FnOnce(SocketAddr) + Send + 'a>,
    /// Asked to end by these.
    pub signals: Signals,
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

/// Why a process did not serve, or did not end well. For its operator: it names the configuration
/// file as it was named, and the key or flag at fault, but shows no value, address or secret.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be started on.
    #[error("the store cannot be opened: {0}")]
    Store(String),
    /// The Runtime cannot start.
    #[error("the runtime cannot start: {0}")]
    Start(#[source] StartError),
    /// The address cannot be bound.
    #[error("{0}")]
    Listen(ConfigError),
    /// Signals cannot be listened for.
    #[error("signals cannot be listened for: {0}")]
    Signals(std::io::Error),
    /// A second signal came before everything had ended.
    #[error("interrupted again: gone without shutting down")]
    Interrupted,
}

impl ServeError {
    /// The exit code of the process: 2 for what the configuration can mend, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 2,
            Self::Store(_)
            | Self::Start(_)
            | Self::Listen(_)
            | Self::Signals(_)
            | Self::Interrupted => 1,
        }
    }
}

/// Serves a Runtime until a signal, then drains it: see [`http::serve`] for the order.
///
/// # Errors
/// [`ServeError`]: nothing was served, or a second signal cut the end short.
pub async fn run(
    args: &RuntimeArgs,
    environment: &Environment,
    host: Host<'_>,
) -> Result<(), ServeError> {
    let plan = Plan::read(args, environment)?;
    allow_open_files();
    let mut settings = plan.settings(environment)?;
    settings.metrics = host.metrics;
    let cannot_listen = |error: io::Error| ServeError::Listen(plan.cannot_listen(&error));
    let reserved = Reserved::take(plan.bind()).map_err(cannot_listen)?;
    let runtime = plan.start().await?;
    let listener = reserved.listen().map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    tracing::info!(runtime_id = %runtime.id(), "serving");
    (host.announce)(address);

    let shutdown = CancellationToken::new();
    let serving = http::serve(
        listener,
        runtime,
        settings,
        shutdown.clone().cancelled_owned(),
    );
    until_ended(serving, host.signals, shutdown).await
}

/// Lets this process have as many files open as it may: every observer is one, and every segment of
/// a durable store.
pub fn allow_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current < maximum {
        let all = Rlimit {
            current: maximum,
            maximum,
        };
        // One that may not goes on with what it has.
        let _ = setrlimit(Resource::Nofile, all);
    }
}

/// Lets a server run until it has ended: the first signal asks it to, the second does not wait.
///
/// # Errors
/// [`ServeError::Interrupted`] at the second signal.
pub async fn until_ended(
    serving: impl Future<Output = ()>,
    mut signals: Signals,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let interrupted = async {
        signals.next().await;
        shutdown.cancel();
        signals.next().await;
    };
    tokio::select! {
        () = serving => Ok(()),
        () = interrupted => Err(ServeError::Interrupted),
    }
}

/// How long a process that goes waits for what it lets go of.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// Ends tokio at the end of a process, and with it what still runs: every task is dropped, and so
/// the process group of every run is killed. Whoever interrupted twice waits for nothing else, and
/// for this half a second at most.
pub fn let_go(tokio: tokio::runtime::Runtime) {
    tokio.shutdown_timeout(LAST_MOMENT);
}
