//! A build without the durable store says so.

use std::sync::Arc;

use yoi_protocol::{Limits, RuntimeId};

use super::{ConfigFault, FsConfig};
use crate::store::Store;

pub(super) async fn owner(_config: &FsConfig) -> Result<Option<RuntimeId>, ConfigFault> {
    Err(ConfigFault::StoreUnsupported)
}

pub(super) async fn open(
    _config: &FsConfig,
    _runtime: RuntimeId,
    _limits: &Limits,
) -> Result<Arc<dyn Store>, ConfigFault> {
    Err(ConfigFault::StoreUnsupported)
}
