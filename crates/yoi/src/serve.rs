//! `yoi serve` and `yoi runtime`.

use std::io::{self, Write};
use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;
use worker_runtime::serve::{self, Host, Reserved, RuntimeArgs, ServeError, Signals};
use yoi_workspace_server::StartError;
use yoi_workspace_server::config::Plan;

use crate::args::ServeArgs;
use crate::error::CliError;
use crate::world::World;

/// Runs a Runtime in this process, until a signal.
pub(crate) async fn runtime(args: &RuntimeArgs, world: &mut World) -> Result<(), CliError> {
    let output = &mut world.output;
    let host = Host {
        metrics: world.metrics.clone(),
        announce: Box::new(move |address| announce(&mut *output, address)),
        signals: signals()?,
    };
    serve::run(args, &world.environment, host)
        .await
        .map_err(CliError::from)
}

/// Runs a Backend in this process, until a signal. Without a file it has one Runtime inside, and
/// says what to try.
pub(crate) async fn backend(args: &ServeArgs, world: &mut World) -> Result<(), CliError> {
    let layers = serve::layers(args.config.as_ref(), &world.environment)?;
    let has_file = layers.has_file();
    let loader = layers.flag("--bind", "server.bind", args.bind.clone());
    let plan = Plan::read(loader, &world.environment)?;
    serve::allow_open_files();
    let mut settings = plan.settings()?;
    settings.metrics = world.metrics.clone();
    let signals = signals()?;
    let cannot_listen = |error: io::Error| CliError::Server(plan.cannot_listen(&error).to_string());
    let reserved = Reserved::take(plan.bind()).map_err(cannot_listen)?;
    let backend = plan.start().await?;
    let listener = reserved.listen().map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    tracing::info!("serving");
    announce(&mut world.output, address);
    if !has_file {
        tips(&mut world.output, address);
    }

    let shutdown = CancellationToken::new();
    let told = shutdown.clone().cancelled_owned();
    let serving = yoi_workspace_server::serve(listener, backend, settings, told);
    serve::until_ended(serving, signals, shutdown)
        .await
        .map_err(CliError::from)
}

fn signals() -> Result<Signals, CliError> {
    Signals::install().map_err(|error| ServeError::Signals(error).into())
}

/// Tells where a server listens, as a line that a program can read.
fn announce(output: &mut (dyn Write + Send), address: SocketAddr) {
    // Nobody reads it: that does not keep the server from serving.
    let _ = writeln!(output, "listening on http://{address}");
    let _ = output.flush();
}

/// Tells a new user what to do with the Backend that nobody has configured.
fn tips(output: &mut (dyn Write + Send), address: SocketAddr) {
    let _ = writeln!(
        output,
        "one runtime, local, in memory. Try in another terminal:\n  \
         export YOI_BACKEND=http://{address}\n  \
         yoi create --id hello\n  \
         yoi send local/hello \"Hello, worker\" --follow"
    );
    let _ = output.flush();
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(error) => Self::Config(error),
            error @ (StartError::Store(..) | StartError::Runtime(..) | StartError::Build(_)) => {
                Self::Server(error.to_string())
            }
        }
    }
}

impl From<ServeError> for CliError {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Config(error) => Self::Config(error),
            ServeError::Interrupted => Self::Interrupted,
            error @ (ServeError::Store(_)
            | ServeError::Start(_)
            | ServeError::Listen(_)
            | ServeError::Signals(_)) => Self::Server(error.to_string()),
        }
    }
}
