//! Which of the segments in a folder count.

use super::disk::Disk;
use super::error::OpenError;
use super::name::SegmentName;

/// The segments that count, in order; removes those that another one has replaced.
pub(super) fn counted(disk: &dyn Disk, names: &[String]) -> Result<Vec<SegmentName>, OpenError> {
    let mut all: Vec<SegmentName> = names
        .iter()
        .filter_map(|name| SegmentName::parse(name))
        .collect();
    all.sort_unstable();
    let uncounted = uncounted(&all);
    for name in &uncounted {
        disk.remove(&name.to_string())
            .map_err(OpenError::io("removing a replaced segment"))?;
    }
    all.retain(|name| !uncounted.contains(name));
    let mut next = 1;
    for name in &all {
        if name.first != next {
            return Err(OpenError::Missing {
                file: SegmentName::one(next).to_string(),
            });
        }
        next = name.last + 1;
    }
    Ok(all)
}

/// Those of all segments that do not count: who was replaced, or is to take the place of others that
/// are all there still. Its name need not last, and theirs do until they are taken away.
fn uncounted(all: &[SegmentName]) -> Vec<SegmentName> {
    let mut wide: Vec<SegmentName> = all.to_vec();
    wide.retain(|name| name.first < name.last);
    wide.sort_by_key(|name| name.last - name.first);
    let mut uncounted = Vec::new();
    for name in wide {
        let counts = |one: &&SegmentName| name.replaces(**one) && !uncounted.contains(*one);
        let inner: Vec<SegmentName> = all.iter().filter(counts).copied().collect();
        let reach = inner.iter().fold(name.first, |next, one| {
            if one.first == next {
                one.last + 1
            } else {
                next
            }
        });
        if reach > name.last {
            uncounted.push(name);
        } else {
            uncounted.extend(inner);
        }
    }
    uncounted
}
