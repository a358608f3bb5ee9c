//! Commands that are done once, however often they are sent.

use yoi_client::{Answer, Call, CallError};
use yoi_protocol::{Capability, Code, Failure, IdempotencyKey};

use crate::error::CliError;

/// The key of one command: that of the command line, or a new one.
///
/// Under it a command whose answer was lost on the way is sent again: it is done once, and
/// answered as it was the first time.
#[derive(Debug)]
pub(crate) struct Once {
    key: IdempotencyKey,
    is_new: bool,
}

impl Once {
    pub(crate) fn new(key: Option<IdempotencyKey>) -> Self {
        Self {
            is_new: key.is_none(),
            key: key.unwrap_or_else(new_key),
        }
    }

    /// Sends the command by `ask`, and gives what was answered.
    ///
    /// A Runtime that takes no keys gets the command without, unless the user named one.
    pub(crate) async fn send<T>(
        self,
        ask: impl AsyncFn(Call) -> Result<Answer<T>, CallError>,
    ) -> Result<T, CliError> {
        let error = match ask(Call::keyed(self.key.clone())).await {
            Ok(answer) => return Ok(answer.value),
            Err(error) => error,
        };
        let (error, key) = if self.is_new && takes_no_keys(&error.failure) {
            match ask(Call::default()).await {
                Ok(answer) => return Ok(answer.value),
                Err(error) => (error, None),
            }
        } else {
            (error, Some(self.key))
        };
        Err(CliError::Command {
            error: Box::new(error),
            key,
        })
    }
}

/// Refused for its key, which nothing was done for.
fn takes_no_keys(failure: &Failure) -> bool {
    failure.code == Code::OperationUnsupported
        && failure.details.operation.as_deref() == Some(Capability::IDEMPOTENCY.as_str())
}

fn new_key() -> IdempotencyKey {
    let id = uuid::Uuid::now_v7().to_string();
    IdempotencyKey::parse(&id).expect("a UUID is a key")
}
