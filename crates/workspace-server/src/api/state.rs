//! What every handler has at hand.

use std::sync::Arc;

use yoi_http_kit::ObserveSettings;
use yoi_protocol::IdempotencyKey;

use crate::{Backend, Caller};

/// What every handler has at hand.
#[derive(Clone)]
pub(super) struct AppState {
    pub(super) backend: Backend,
    pub(super) observe: Arc<ObserveSettings>,
}

/// Who asks, as the library wants to know it.
pub(super) fn caller(caller: yoi_http_kit::Caller, key: Option<IdempotencyKey>) -> Caller {
    Caller {
        principal: caller.principal.as_str().to_owned(),
        request_id: caller.request_id,
        traceparent: caller.traceparent.0,
        deadline: caller.deadline.0,
        key,
    }
}
