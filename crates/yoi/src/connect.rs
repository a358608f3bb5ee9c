//! The client of the Backend that the command line names.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use yoi_client::{Client, Credential, SecretString, Timeouts};
use yoi_config::{Environment, Secret, SecretRef, SecretSource};

use crate::args::ClientArgs;
use crate::error::CliError;

/// The Backend when nobody names one.
const DEFAULT_BACKEND: &str = "http://127.0.0.1:7400";

/// A Backend gives an operation 15 seconds, over all its attempts, where its `request_ms` says
/// nothing else. Whoever waits for it waits far longer: a Backend's own word of what became of a
/// command is worth more than having given up.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    response: Duration::from_secs(60),
    request: Duration::from_secs(150),
};

/// Builds the client. Nothing is sent yet.
pub(crate) fn connect(args: &ClientArgs, environment: &Environment) -> Result<Client, CliError> {
    let url = args
        .backend
        .as_deref()
        .or_else(|| environment.get("YOI_BACKEND"))
        .unwrap_or(DEFAULT_BACKEND);
    let mut builder = Client::builder(url)?.timeouts(TIMEOUTS);
    if let Some(token) = token(args, environment)? {
        builder = builder.credential(Arc::new(token));
    }
    Ok(builder.build()?)
}

fn token(args: &ClientArgs, environment: &Environment) -> Result<Option<Token>, CliError> {
    let source = match (&args.token_file, environment.get("YOI_TOKEN")) {
        (Some(path), _) => SecretSource::open(&SecretRef::File(path.clone()), environment)
            .map_err(|error| CliError::Usage(format!("--token-file {error}")))?,
        (None, Some(token)) if !token.is_empty() => SecretSource::fixed(Secret::new(token)),
        (None, Some(_) | None) => return Ok(None),
    };
    Ok(Some(Token(source)))
}

/// A token that is read again when its file changes.
struct Token(SecretSource);

#[async_trait]
impl Credential for Token {
    async fn token(&self) -> Option<SecretString> {
        Some(self.0.current().into_secret_string())
    }

    async fn refresh(&self) -> bool {
        self.0.refresh().unwrap_or(false)
    }
}
