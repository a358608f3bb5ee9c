//! What all watchers together were told, and how late.

use std::fmt;

/// Delays are counted in steps of so many microseconds, up to two seconds.
const STEP_US: u64 = 10;
const STEPS: usize = 200_000;

/// What all watchers together were told.
pub(crate) struct Tally {
    /// Text messages.
    pub(crate) frames: u64,
    /// Pieces, each watcher's once.
    pub(crate) pieces: u64,
    /// Pieces that a watcher was told later ones instead of.
    pub(crate) holes: u64,
    /// How often one fell too far behind, and came back with its cursor.
    pub(crate) came_back: u64,
    /// When the first piece was said, and when the last was heard.
    began: u64,
    ended: u64,
    delays: Vec<u64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            frames: 0,
            pieces: 0,
            holes: 0,
            came_back: 0,
            began: u64::MAX,
            ended: 0,
            delays: vec![0; STEPS],
        }
    }

    pub(crate) fn heard(&mut self, said_at: u64, now: u64) {
        self.pieces += 1;
        self.began = self.began.min(said_at);
        self.ended = now;
        let step = usize::try_from((now - said_at) / STEP_US).unwrap();
        self.delays[step.min(STEPS - 1)] += 1;
    }

    pub(crate) fn report(&self) -> Report {
        Report {
            frames: self.frames,
            pieces: self.pieces,
            holes: self.holes,
            came_back: self.came_back,
            took_us: self.ended.saturating_sub(self.began),
            p50_us: self.delay(0.5),
            p99_us: self.delay(0.99),
            max_us: self.delay(1.0),
        }
    }

    /// What so great a part of all pieces was not later than.
    fn delay(&self, part: f64) -> u64 {
        let rank = (self.pieces as f64 * part).ceil() as u64;
        let mut before = 0;
        let step = self.delays.iter().position(|count| {
            before += count;
            before >= rank
        });
        step.unwrap_or(0) as u64 * STEP_US
    }
}

/// The same in figures, as one process tells it to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    pub(crate) frames: u64,
    pub(crate) pieces: u64,
    pub(crate) holes: u64,
    pub(crate) came_back: u64,
    pub(crate) took_us: u64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    pub(crate) max_us: u64,
}

impl Report {
    pub(crate) fn parse(line: &str) -> Self {
        let mut figures = line.split(' ').map(|figure| figure.parse().unwrap());
        let mut next = || figures.next().unwrap();
        Self {
            frames: next(),
            pieces: next(),
            holes: next(),
            came_back: next(),
            took_us: next(),
            p50_us: next(),
            p99_us: next(),
            max_us: next(),
        }
    }

    pub(crate) fn frames_per_second(&self) -> f64 {
        self.frames as f64 * 1e6 / self.took_us.max(1) as f64
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.frames, self.pieces)?;
        write!(f, "{} {} {} ", self.holes, self.came_back, self.took_us)?;
        write!(f, "{} {} {}", self.p50_us, self.p99_us, self.max_us)
    }
}
