//! A panic is an answer, too.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use axum::response::Response;
use futures_util::FutureExt;
use yoi_protocol::{Code, Effect, Failure};

use crate::Rejection;

/// What `serving` answers; `internal` when it panics, with an unknown effect, because nobody
/// knows how far it came.
pub(super) async fn caught(
    serving: impl Future<Output = Result<Response, Rejection>>,
) -> Result<Response, Rejection> {
    // Nothing of what a panicking handler touched is looked at again here.
    match AssertUnwindSafe(serving).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(panic) => {
            tracing::error!(panic = words(&*panic), "a handler panicked");
            metrics::counter!("yoi_http_panics_total").increment(1);
            Err(Failure::new(Code::Internal)
                .with_effect(Effect::Unknown)
                .into())
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
}
