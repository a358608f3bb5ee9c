//! Which power losses are tried.

use crc32fast::Hasher;

use crate::history::Told;
use crate::sim::{Loss, SimDisk};

/// Whether there is time for more: `YOI_LONG=1`.
pub(crate) fn has_time() -> bool {
    std::env::var_os("YOI_LONG").is_some_and(|value| value == "1")
}

/// All that there can be of a few pieces; of more all, none, the latest alone, all but the latest,
/// and some by chance. With time, all of more pieces, and of the latest of many.
pub(crate) fn losses(disk: &SimDisk) -> Vec<Loss> {
    let pieces = disk.pieces().len();
    let mut losses = vec![Loss::Nothing, Loss::Everything];
    let (few, seeds) = if has_time() { (8, 50) } else { (4, 1) };
    let chance = disk.ops().len() as u64;
    losses.extend((chance..chance + seeds).map(Loss::Seed));
    if pieces <= 64 && (pieces <= few || has_time()) {
        let latest = pieces.min(few);
        let all_before = (1_u64 << (pieces - latest)) - 1;
        for mask in 0..1_u64 << latest {
            let mask = mask << (pieces - latest);
            losses.extend([Loss::AllBut(mask), Loss::AllBut(mask | all_before)]);
        }
    } else if pieces <= 64 {
        let latest = 1 << (pieces - 1);
        losses.extend([Loss::AllBut(latest), Loss::AllBut(latest - 1)]);
    }
    losses
}

/// What tells apart disks that are worth a try, and what their stores were told.
pub(crate) fn print(disk: &SimDisk, told: &Told) -> String {
    let mut hasher = Hasher::new();
    // LOCK says the time, and nobody reads it who gets it.
    for (name, bytes) in disk.files().iter().filter(|(name, _)| *name != "LOCK") {
        hasher.update(format!("{name} {}", bytes.len()).as_bytes());
        hasher.update(bytes);
    }
    format!("{} {}", hasher.finalize(), told.print())
}
