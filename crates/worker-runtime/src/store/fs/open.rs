//! Taking a folder, and starting on what is there or making a store.

use yoi_protocol::Timestamp;

use super::active::Active;
use super::disk::{Disk, Held, Lock};
use super::error::OpenError;
use super::head::{self, Head};
use super::identity::Identity;
use super::index::Index;
use super::name::{HEAD, IDENTITY, LOCK, SegmentName, is_unfinished};
use super::options::FsOptions;
use super::segments;
use super::shared::Place;
use super::start::{Start, Started};
use crate::store::answers::Answers;

/// What a start finds.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) lock: Held,
    pub(super) identity: Identity,
    pub(super) head: Head,
    pub(super) index: Index,
    pub(super) answers: Answers<Place>,
    pub(super) active: Option<Active>,
    pub(super) last_segment: u32,
    pub(super) lsn: u64,
    /// The tail that was cut: its file, where, and how many bytes.
    pub(super) cut: Option<(String, u64, u64)>,
}

/// Takes the folder for this process.
pub(super) fn take(disk: &dyn Disk) -> Result<Held, OpenError> {
    let holder = format!("process {} since {}", std::process::id(), Timestamp::now());
    match disk.lock(LOCK, &holder) {
        Ok(Lock::Taken(held)) => Ok(held),
        Ok(Lock::Busy(holder)) => {
            let ours = format!("process {} ", std::process::id());
            Err(match holder.as_str() {
                "" => OpenError::Busy {
                    holder: "another process".to_owned(),
                },
                text if text.starts_with(&ours) => OpenError::Ours,
                _ => OpenError::Busy { holder },
            })
        }
        Err(error) => Err(OpenError::io("locking it")(error)),
    }
}

/// Opens the store of a folder, or makes one there.
pub(super) fn open(disk: &dyn Disk, options: &FsOptions) -> Result<Opened, OpenError> {
    let lock = take(disk)?;
    let found = Identity::read(disk)?;
    if let Some(theirs) = found.as_ref().map(|found| &found.runtime)
        && *theirs != options.runtime
    {
        return Err(OpenError::OtherRuntime {
            theirs: theirs.clone(),
            ours: options.runtime.clone(),
        });
    }
    let mut names = disk.list().map_err(OpenError::io("reading the folder"))?;
    for name in names.extract_if(.., |name| is_unfinished(name)) {
        disk.remove(&name)
            .map_err(OpenError::io("removing an unfinished file"))?;
    }
    let (identity, head) = match found {
        Some(identity) => {
            let head = Head::open(disk, identity.salt(0))?;
            if !names.iter().any(|name| SegmentName::parse(name).is_some()) {
                // Whoever made it may not have seen that its name lasts, and records rely on it.
                identity.write(disk)?;
            }
            (identity, head)
        }
        None => begin(disk, &names, options)?,
    };
    let segments = segments::counted(disk, &names)?;
    let start = Start::new(disk, options, &identity, head.mark);
    let Started {
        index,
        answers,
        active,
        lsn,
        cut,
    } = start.load(&segments)?;
    let last_segment = segments.last().map_or(0, |name| name.last);
    let is_unused = active.is_none() && !index.sealed.contains_key(&last_segment);
    Ok(Opened {
        lock,
        head,
        index,
        answers,
        active,
        last_segment: last_segment.saturating_sub(u32::from(is_unused)),
        lsn,
        cut,
        identity,
    })
}

/// Makes a new store. Its identity comes last: without one there is no store.
fn begin(
    disk: &dyn Disk,
    names: &[String],
    options: &FsOptions,
) -> Result<(Identity, Head), OpenError> {
    let is_there = names.iter().any(|name| name == HEAD);
    let is_used = names.iter().any(|name| SegmentName::parse(name).is_some())
        || (is_there && head::was_used(disk)?);
    if is_used {
        return Err(OpenError::Missing {
            file: IDENTITY.to_owned(),
        });
    }
    if is_there {
        disk.remove(HEAD)
            .map_err(OpenError::io("removing an unfinished HEAD"))?;
    }
    let identity = Identity::new(options.runtime.clone());
    let head = Head::create(disk, identity.salt(0))?;
    disk.sync_folder().map_err(OpenError::io("making HEAD"))?;
    identity.write(disk)?;
    Ok((identity, head))
}
