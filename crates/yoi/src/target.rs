//! How the command line addresses a Worker.

use std::fmt;
use std::str::FromStr;

use yoi_protocol::{RuntimeId, WorkerId};

/// A Worker by its whole address: `runtime_id/worker_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The Runtime.
    pub runtime_id: RuntimeId,
    /// The Worker in it.
    pub worker_id: WorkerId,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (runtime, worker) = text
            .split_once('/')
            .ok_or("write it as runtime_id/worker_id, as `yoi workers` shows it")?;
        Ok(Self {
            runtime_id: runtime
                .parse()
                .map_err(|error: yoi_protocol::IdError| error.to_string())?,
            worker_id: worker
                .parse()
                .map_err(|error: yoi_protocol::IdError| error.to_string())?,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.runtime_id, self.worker_id)
    }
}
