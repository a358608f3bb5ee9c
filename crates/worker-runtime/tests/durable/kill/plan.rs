//! What happens in which round: drawn from a seed, so that it can be drawn again.

use std::env;

use fastrand::Rng;

/// How a round ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Killed when this acknowledgement arrives, counted over all clients.
    Killed(u64),
    /// The same, and then so many starts are killed, each at any moment.
    KilledStarting(u64, u32),
    /// Killed once nobody waits for an answer any more, so that the last record is one that was
    /// acknowledged.
    KilledQuiet(u64),
    /// Killed while the store makes segments one.
    KilledTidying,
    /// Killed once it has made segments one.
    KilledTidied,
    /// Asked to end when this acknowledgement arrives.
    Asked(u64),
}

/// The seed of everything that is drawn: the one that is asked for, or a new one.
pub(super) fn seed() -> u64 {
    let asked = env::var("YOI_SEED").ok();
    let asked = asked.map(|seed| seed.parse().expect("YOI_SEED is a number"));
    asked.unwrap_or_else(|| fastrand::u64(..))
}

/// How many rounds a test has: one half of 20, or of 200 where time is no object.
pub(super) fn rounds() -> u32 {
    match env::var("YOI_LONG") {
        Ok(long) if long == "1" => 100,
        _ => 10,
    }
}

/// How this round ends. Of the first ten rounds each kind has some.
pub(super) fn ending(rng: &mut Rng, round: u32, is_bounded: bool) -> Ending {
    let acknowledgements = rng.u64(1..90);
    match round % 10 {
        3 | 8 => Ending::KilledStarting(acknowledgements, rng.u32(1..4)),
        1 | 7 => Ending::KilledQuiet(acknowledgements),
        5 => Ending::Asked(acknowledgements),
        6 if is_bounded => Ending::KilledTidied,
        9 if is_bounded => Ending::KilledTidying,
        _ => Ending::Killed(acknowledgements),
    }
}
