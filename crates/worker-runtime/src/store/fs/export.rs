//! The log as lines of JSON: for whoever wants to read it with other tools, also when nothing runs,
//! and when it cannot be opened any more.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use uuid::Uuid;
use yoi_protocol::{Event, Timestamp, WorkerId};

use super::disk::{Disk, OsDisk};
use super::error::OpenError;
use super::salvage::{Flaw, Found, Salvage};
use crate::store::LogId;

/// What was written, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many events.
    pub events: u64,
    /// What is not what was written.
    pub flaws: Vec<Flaw>,
}

#[derive(Serialize)]
struct Line<'a> {
    worker_id: &'a WorkerId,
    life: Uuid,
    seq: u64,
    at: Timestamp,
    event: &'a Event,
}

/// Writes each event that is on the disk as one line of JSON, in the order in which they were
/// written: `{"worker_id":…,"life":…,"seq":…,"at":…,"event":{…}}`. Those of one Worker with
/// `worker_id`. Workers that were forgotten are left out; what is given up may still be there.
///
/// Takes no lock and changes nothing: a process that has the store goes on.
///
/// # Errors
/// There is no store, it is of a newer version, or `out` cannot be written to.
pub fn export(
    path: &Path,
    worker_id: Option<&WorkerId>,
    out: &mut dyn Write,
) -> Result<Exported, OpenError> {
    let disk = OsDisk::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => OpenError::Absent,
        _ => OpenError::io("opening it")(error),
    })?;
    export_from(&disk, worker_id, out)
}

/// The same from another file layer.
///
/// # Errors
/// As [`export`].
pub fn export_from(
    disk: &dyn Disk,
    worker_id: Option<&WorkerId>,
    out: &mut dyn Write,
) -> Result<Exported, OpenError> {
    let mut gone: HashSet<LogId> = HashSet::new();
    let salvage = Salvage::new(disk)?;
    salvage.each(|found| {
        if let Found::Dropped(log) = found {
            gone.insert(log);
        }
        Ok(())
    })?;
    let mut events = 0;
    let flaws = salvage.each(|found| {
        let Found::Record(record) = found else {
            return Ok(());
        };
        let is_asked_for = worker_id.is_none_or(|asked| *asked == record.log.worker_id);
        if !is_asked_for || gone.contains(&record.log) {
            return Ok(());
        }
        for stored in &record.events {
            let line = Line {
                worker_id: &record.log.worker_id,
                life: record.log.life,
                seq: stored.seq,
                at: stored.at,
                event: &stored.event,
            };
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")?;
            events += 1;
        }
        Ok(())
    })?;
    out.flush()
        .map_err(OpenError::io("writing what was found"))?;
    Ok(Exported { events, flaws })
}
