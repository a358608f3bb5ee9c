//! The process `worker-runtime`: one Runtime, for Backends to connect to.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use worker_runtime::serve::{self, Host, LogArgs, RuntimeArgs, ServeError, Signals};
use yoi_config::Environment;

/// Runs one Runtime for Backends to connect to. Browsers go through a Backend: `yoi serve`.
#[derive(Debug, Parser)]
#[command(name = "worker-runtime", version)]
struct Cli {
    #[command(flatten)]
    runtime: RuntimeArgs,
    #[command(flatten)]
    log: LogArgs,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let tokio = match tokio::runtime::Runtime::new() {
        Ok(tokio) => tokio,
        Err(error) => return failed(&error, 1),
    };
    let outcome = tokio.block_on(run(&cli));
    serve::let_go(tokio);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error, error.exit_code()),
    }
}

async fn run(cli: &Cli) -> Result<(), ServeError> {
    let environment = Environment::of_process();
    serve::install_log(cli.log, &environment)?;
    let host = Host {
        metrics: serve::install_metrics(),
        announce: Box::new(|address| {
            // Nobody reads it: that does not keep the Runtime from serving.
            let _ = writeln!(io::stdout(), "listening on http://{address}");
        }),
        signals: Signals::install().map_err(ServeError::Signals)?,
    };
    serve::run(&cli.runtime, &environment, host).await
}

fn failed(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "worker-runtime: {error}");
    ExitCode::from(code)
}
