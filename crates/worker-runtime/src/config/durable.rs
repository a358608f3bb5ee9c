//! From the configuration to the durable store.

use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;
use yoi_protocol::{Limits, RuntimeId};

use super::{ConfigFault, FsConfig};
use crate::store::Store;
use crate::store::fs::{FsOptions, FsStore, OpenError, Retention};

/// A bound on all the bytes is kept to by so many segments, so that giving one up is not giving
/// up most of what there is.
const SEGMENTS: u64 = 16;
const LEAST_SEGMENT_BYTES: u64 = 64 * 1024;
const MOST_SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

pub(super) async fn owner(config: &FsConfig) -> Result<Option<RuntimeId>, ConfigFault> {
    let path = config.path.clone();
    apart(move || FsStore::owner(&path)).await
}

pub(super) async fn open(
    config: &FsConfig,
    runtime: RuntimeId,
    limits: &Limits,
) -> Result<Arc<dyn Store>, ConfigFault> {
    let mut options = FsOptions::new(runtime).retention(Retention {
        max_age_ms: config.max_age_ms,
        max_bytes: config.max_bytes,
        ..Retention::of(limits)
    });
    if let Some(max_bytes) = config.max_bytes {
        let bytes = (max_bytes / SEGMENTS).clamp(LEAST_SEGMENT_BYTES, MOST_SEGMENT_BYTES);
        options = options.segment_bytes(bytes);
    }
    let path = config.path.clone();
    let store = apart(move || FsStore::open(&path, options)).await?;
    Ok(Arc::new(store))
}

/// Opens on a thread of its own: reading what is there may take a moment.
async fn apart<T: Send + 'static>(
    open: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, ConfigFault> {
    let (reply, opened) = oneshot::channel();
    thread::spawn(move || {
        // Nobody waits for it any more: what was opened is closed.
        let _ = reply.send(open());
    });
    match opened.await {
        Ok(opened) => opened.map_err(ConfigFault::from),
        Err(_) => Err(ConfigFault::Store("opening the store failed".to_owned())),
    }
}

impl From<OpenError> for ConfigFault {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unusable { doing, kind } => Self::StoreUnusable(format!(
                "names a folder that cannot be used: {doing}: {kind}"
            )),
            OpenError::OtherRuntime { theirs, ours } => Self::StoreUnusable(format!(
                "names a folder that belongs to runtime {theirs}, not to {ours}: start the \
                 runtime under that id, or choose another folder"
            )),
            error => Self::Store(error.to_string()),
        }
    }
}
