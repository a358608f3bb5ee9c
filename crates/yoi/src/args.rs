//! The command line, as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use worker_runtime::serve::{LogArgs, RuntimeArgs};
use yoi_protocol::{Cursor, IdempotencyKey, RuntimeId, WorkerId};

use crate::target::Target;

/// Runs long-lived agent Workers, and talks to them.
#[derive(Debug, Parser)]
#[command(name = "yoi", version, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `yoi` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a Backend: one API over embedded and remote Runtimes
    Serve(ServeArgs),
    /// Run a Runtime in a process of its own, for a Backend elsewhere
    Runtime(RuntimeCommand),
    /// List the Runtimes of a Backend
    Runtimes(RuntimesArgs),
    /// List the Workers of a Backend, or of one of its Runtimes
    Workers(WorkersArgs),
    /// Create a Worker
    Create(CreateArgs),
    /// Send a Worker an input
    Send(SendArgs),
    /// Watch what a Worker does, until it is stopped
    Watch(WatchArgs),
    /// Show what was said
    Transcript(TargetArgs),
    /// End a Worker's active run
    Cancel(CommandArgs),
    /// Stop a Worker for good
    Stop(CommandArgs),
    /// Check whether a running Runtime keeps the contract
    CheckRuntime(CheckRuntimeArgs),
    /// Write the events of a durable store as lines of JSON
    Export(ExportArgs),
    /// Show what can be kept of a damaged store, and keep it
    Repair(RepairArgs),
}

/// `yoi export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The folder of the store
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Only the events of this Worker
    #[arg(long, value_name = "ID")]
    pub worker: Option<WorkerId>,
}

/// `yoi repair`.
#[derive(Debug, Args)]
pub struct RepairArgs {
    /// The folder of the store, which no process has open
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Repair it: what is there is kept beside it under another name
    #[arg(long)]
    pub apply: bool,
    /// Print what is found as JSON: one document
    #[arg(long)]
    pub json: bool,
}

/// `yoi serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The configuration file [default: yoi.toml, if there is one here]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The IP address and port to listen on
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<String>,
    /// How to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// `yoi runtime`.
#[derive(Debug, Args)]
pub struct RuntimeCommand {
    /// What the process `worker-runtime` takes, too.
    #[command(flatten)]
    pub runtime: RuntimeArgs,
    /// How to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Which Backend, and how to show what it says.
#[derive(Debug, Clone, Default, Args)]
pub struct ClientArgs {
    /// The Backend [default: $YOI_BACKEND, else http://127.0.0.1:7400]
    #[arg(long, value_name = "URL")]
    pub backend: Option<String>,
    /// A file with the token for the Backend [default: the token in $YOI_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Print the API's JSON: one document, or one frame a line
    #[arg(long)]
    pub json: bool,
}

/// `yoi runtimes`.
#[derive(Debug, Args)]
pub struct RuntimesArgs {
    /// Which Backend.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// `yoi workers`.
#[derive(Debug, Args)]
pub struct WorkersArgs {
    /// Only the Workers of this Runtime
    #[arg(long, value_name = "ID")]
    pub runtime: Option<RuntimeId>,
    /// Which Backend.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// `yoi create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The Runtime [default: the Backend's only one]
    #[arg(long, value_name = "ID")]
    pub runtime: Option<RuntimeId>,
    /// The Worker's id [default: one is generated]
    #[arg(long, value_name = "ID")]
    pub id: Option<WorkerId>,
    /// A name for people
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What the Worker runs [default: the Runtime's default profile]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Names this command: run again under the same key it is done once [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub key: Option<IdempotencyKey>,
    /// Which Backend.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// `yoi send`.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// The Worker, as runtime_id/worker_id
    #[arg(value_name = "TARGET")]
    pub target: Target,
    /// What to tell it; - reads standard input
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    pub text: String,
    /// Show the answer as it comes, until the run ends
    #[arg(long)]
    pub follow: bool,
    /// Names this command: run again under the same key it is done once [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub key: Option<IdempotencyKey>,
    /// Which Backend.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// `yoi watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The Worker, as runtime_id/worker_id
    #[arg(value_name = "TARGET")]
    pub target: Target,
    /// Only what follows this cursor [default: begin with a snapshot]
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<Cursor>,
    /// Which Backend.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// `yoi cancel` and `yoi stop`.
#[derive(Debug, Args)]
pub struct CommandArgs {
    /// The Worker, as runtime_id/worker_id
    #[arg(value_name = "TARGET")]
    pub target: Target,
    /// Names this command: run again under the same key it is done once [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub key: Option<IdempotencyKey>,
    /// Which Backend.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// `yoi transcript`.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// The Worker, as runtime_id/worker_id
    #[arg(value_name = "TARGET")]
    pub target: Target,
    /// Which Backend.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// `yoi check-runtime`.
#[derive(Debug, Args)]
pub struct CheckRuntimeArgs {
    /// The Runtime's base URL
    #[arg(value_name = "URL")]
    pub url: String,
    /// The variable with the token that the Runtime wants
    #[arg(long, value_name = "NAME")]
    pub token_env: Option<String>,
    /// A profile whose runs end by themselves [default: the Runtime's default profile]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// A profile whose runs say something and then last until they are ended
    #[arg(long, value_name = "NAME")]
    pub long_profile: Option<String>,
    /// How long to wait for what must come
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub patience: u64,
    /// How long all checks together may take; the rest is skipped
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub timeout: u64,
    /// Send the token over http:// also to elsewhere than this machine
    #[arg(long)]
    pub allow_plain_http: bool,
    /// Print the report as JSON: one document
    #[arg(long)]
    pub json: bool,
}
