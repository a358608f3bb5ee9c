//! The process `yoi`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use worker_runtime::serve;
use yoi::args::{Cli, Command};
use yoi::{CliError, Exit, World, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let tokio = match tokio::runtime::Runtime::new() {
        Ok(tokio) => tokio,
        Err(error) => return failed(&CliError::Io(error)),
    };
    let outcome = tokio.block_on(async {
        let mut world = World::of_process();
        prepare(&cli.command, &mut world)?;
        Ok(run(cli.command, &mut world).await)
    });
    serve::let_go(tokio);
    match outcome {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => failed(&error),
    }
}

/// Servers log and count; a client is quiet unless `YOI_LOG` asks for more.
fn prepare(command: &Command, world: &mut World) -> Result<(), CliError> {
    let log = match command {
        Command::Serve(args) => Some(args.log),
        Command::Runtime(args) => Some(args.log),
        _ => None,
    };
    let is_asked_for = world.environment.get("YOI_LOG").is_some();
    if log.is_some() || is_asked_for {
        serve::install_log(log.unwrap_or_default(), &world.environment)?;
    }
    if log.is_some() {
        world.metrics = serve::install_metrics();
    }
    Ok(())
}

fn failed(error: &CliError) -> ExitCode {
    let _ = writeln!(io::stderr(), "yoi: {error}");
    match error.exit() {
        Exit::Done => ExitCode::from(Exit::Other.code()),
        exit => ExitCode::from(exit.code()),
    }
}
