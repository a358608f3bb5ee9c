//! What a command carries in its headers.

use axum::extract::FromRequestParts;
use http::request::Parts;
use yoi_http_kit::{Deadline, Key, Rejection};

use crate::{CommandContext, RuntimeError};

/// The idempotency key and the deadline of a command.
pub(super) struct Command(pub(super) CommandContext);

impl<S: Send + Sync> FromRequestParts<S> for Command {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let Key(key) = Key::from_request_parts(parts, state).await?;
        let Deadline(deadline) = Deadline::from_request_parts(parts, state).await?;
        Ok(Self(CommandContext { key, deadline }))
    }
}

/// An error of the library on its way to the edge.
pub(super) fn refused(error: RuntimeError) -> Rejection {
    Rejection::new(error.failure())
}
