//! What every handler has at hand.

use std::sync::Arc;

use yoi_http_kit::ObserveSettings;

use crate::Runtime;

/// What every handler has at hand.
#[derive(Clone)]
pub(super) struct AppState {
    pub(super) runtime: Runtime,
    pub(super) observe: Arc<ObserveSettings>,
}
