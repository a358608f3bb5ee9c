//! What a seed stands for.

use std::time::Duration;

use fastrand::Rng;

/// Everything that a run is made of, but for what the network does with each message.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) runtimes: usize,
    pub(crate) backends: usize,
    pub(crate) workers: usize,
    pub(crate) inputs: u32,
    /// How many watch each Worker.
    pub(crate) watchers: usize,
    /// How long a message takes at most.
    pub(crate) latency: Duration,
    /// What goes wrong, by when it begins.
    pub(crate) troubles: Vec<Trouble>,
}

/// Something that goes wrong for a while.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) at: Duration,
    pub(crate) until: Duration,
    pub(crate) what: What,
}

/// What goes wrong. Machines are named by their numbers.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Nothing passes between a Backend and a Runtime, and what is on the way is lost.
    Partition { backend: usize, runtime: usize },
    /// Nothing passes to the Runtime; what it says still arrives.
    Deaf { backend: usize, runtime: usize },
    /// Nothing passes back from the Runtime; what it is told still arrives.
    Mute { backend: usize, runtime: usize },
    /// Nothing passes for a while, and then everything does.
    Hold { backend: usize, runtime: usize },
    /// Everything takes long.
    Slow { backend: usize, runtime: usize },
    /// A Runtime loses its power, and gets it back.
    RuntimeDies { runtime: usize },
    /// A Backend loses its power, and gets it back.
    BackendDies { backend: usize },
    /// A Runtime is told to end, and started again.
    RuntimeEnds { runtime: usize },
    /// A Backend is told to end, and started again.
    BackendEnds { backend: usize },
    /// The clock of a Runtime is wrong by so many seconds.
    ClockJumps { runtime: usize, seconds: i64 },
    /// The disk of a Runtime is full.
    DiskFull { runtime: usize },
}

/// When the last trouble is over.
pub(crate) const QUIET_AFTER: Duration = Duration::from_secs(20);

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut roll = Rng::with_seed(seed);
        let (runtimes, backends) = (roll.usize(1..=3), roll.usize(1..=2));
        let mut troubles: Vec<Trouble> = (0..roll.usize(2..=12))
            .map(|_| trouble(&mut roll, runtimes, backends))
            .collect();
        troubles.sort_by_key(|trouble| trouble.at);
        Self {
            seed,
            runtimes,
            backends,
            workers: roll.usize(1..=3),
            inputs: roll.u32(2..=8),
            watchers: roll.usize(1..=2),
            latency: Duration::from_millis(roll.u64(2..=60)),
            troubles,
        }
    }
}

fn trouble(roll: &mut Rng, runtimes: usize, backends: usize) -> Trouble {
    let (runtime, backend) = (roll.usize(..runtimes), roll.usize(..backends));
    let what = match roll.u8(..11) {
        0 => What::Partition { backend, runtime },
        1 => What::Deaf { backend, runtime },
        2 => What::Mute { backend, runtime },
        3 => What::Hold { backend, runtime },
        4 => What::Slow { backend, runtime },
        5 => What::RuntimeDies { runtime },
        6 => What::BackendDies { backend },
        7 => What::RuntimeEnds { runtime },
        8 => What::BackendEnds { backend },
        9 => What::ClockJumps {
            runtime,
            seconds: roll.i64(-3600..=3600),
        },
        _ => What::DiskFull { runtime },
    };
    let at = Duration::from_millis(roll.u64(500..15_000));
    let longest = QUIET_AFTER.saturating_sub(at);
    let lasts = Duration::from_millis(roll.u64(50..6_000)).min(longest);
    Trouble {
        at,
        until: at + lasts,
        what,
    }
}
