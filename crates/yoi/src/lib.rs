//! The `yoi` command: it runs a Backend or a Runtime, and talks to the Workers of a Backend.
//!
//! The library part is everything but `main`: [`run`] does one command against a [`World`], which
//! is the process's own or a test's, and says how it ended. What was asked for goes to the
//! world's output; the code and detail of a failure, and what should be known beside an answer,
//! to its notes.

pub mod args;
mod commands;
mod connect;
mod error;
mod exit;
mod feed;
mod said;
mod serve;
mod show;
mod target;
mod world;

pub use error::CliError;
pub use exit::Exit;
pub use target::Target;
pub use world::World;

use std::io::Write;

use args::{ClientArgs, Command};
use commands as cmd;
use show::Screen;

/// Does one command and tells how it ended. A failure is told in the world's notes.
pub async fn run(command: Command, world: &mut World) -> Exit {
    match Box::pin(dispatch(command, world)).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            let exit = error.exit();
            if exit != Exit::Done {
                // Whoever cannot be told learns it from the exit code.
                let _ = writeln!(world.notes, "yoi: {}", show::harmless(&error.to_string()));
            }
            exit
        }
    }
}

async fn dispatch(command: Command, world: &mut World) -> Result<(), CliError> {
    match command {
        Command::Serve(args) => serve::backend(&args, world).await,
        Command::Runtime(args) => serve::runtime(&args.runtime, world).await,
        Command::Runtimes(args) => {
            let (client, mut screen) = open(&args.client, world)?;
            cmd::runtimes(&client, &mut screen).await
        }
        Command::Workers(args) => {
            let (client, mut screen) = open(&args.client, world)?;
            cmd::workers(&client, args.runtime.as_ref(), &mut screen).await
        }
        Command::Create(args) => {
            let (client, mut screen) = open(&args.client, world)?;
            cmd::create(&client, args, &mut screen).await
        }
        Command::Send(args) => {
            let content = cmd::content(&args.text, &mut world.input)?;
            let (client, mut screen) = open(&args.client, world)?;
            cmd::send(&client, &args, content, &mut screen).await
        }
        Command::Watch(args) => {
            let (client, mut screen) = open(&args.client, world)?;
            cmd::watch(&client, &args, &mut screen).await
        }
        Command::Transcript(args) => {
            let (client, mut screen) = open(&args.client, world)?;
            cmd::transcript(&client, &args.target, &mut screen).await
        }
        Command::Cancel(args) => {
            let (client, mut screen) = open(&args.client, world)?;
            cmd::cancel(&client, args, &mut screen).await
        }
        Command::Stop(args) => {
            let (client, mut screen) = open(&args.client, world)?;
            cmd::stop(&client, args, &mut screen).await
        }
        Command::CheckRuntime(args) => {
            let target = cmd::target(&args, &world.environment)?;
            cmd::check_runtime(&target, &mut Screen::new(world, args.json)).await
        }
        Command::Export(args) => cmd::export(&args, world),
        Command::Repair(args) => cmd::repair(&args, world),
    }
}

fn open<'a>(
    args: &ClientArgs,
    world: &'a mut World,
) -> Result<(yoi_client::Client, Screen<'a>), CliError> {
    let client = connect::connect(args, &world.environment)?;
    Ok((client, Screen::new(world, args.json)))
}
