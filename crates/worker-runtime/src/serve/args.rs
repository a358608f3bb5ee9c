//! The flags.

use std::path::PathBuf;

/// The flags of `worker-runtime` and `yoi runtime`. A flag wins over the environment, and that
/// over the file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct RuntimeArgs {
    /// The configuration file [default: yoi.toml, if there is one here]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The IP address and port to listen on [default: 127.0.0.1:7401]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<String>,
    /// The Runtime's id [default: one is generated]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Where the log is kept: memory or fs [default: memory]
    #[arg(long, value_name = "KIND")]
    pub store: Option<String>,
    /// The folder of the store, with --store fs
    #[arg(long, value_name = "FOLDER")]
    pub path: Option<String>,
    /// The variable that holds the token Backends must send
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    pub token_env: Option<String>,
    /// The file that holds the token Backends must send
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<String>,
}

/// How a server logs, on standard error.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct LogArgs {
    /// How to log on standard error [default: $YOI_LOG_FORMAT, else text]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// The form of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}
