//! What a Worker says under load: numbered pieces, each with the time at which it was said.

use std::fmt;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, interval};
use worker_runtime::{
    Executor, ExecutorUnavailable, OutputClosed, RunContext, RunEnd, RunFuture, RunOutput,
};

/// How many pieces make an entry.
const PER_ENTRY: u64 = 250;
/// How often what is due is said.
const TICK: Duration = Duration::from_millis(1);

/// What a run says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Load {
    /// Deltas at a rate, an entry after so many of them.
    Paced { pieces: u64, per_second: u64 },
    /// Events, as fast as the Runtime takes them.
    Burst { pieces: u64 },
}

impl Load {
    pub(crate) fn pieces(self) -> u64 {
        match self {
            Self::Paced { pieces, .. } | Self::Burst { pieces } => pieces,
        }
    }

    fn parse(input: &str) -> Self {
        let numbers: Vec<u64> = input.split(' ').map(|it| it.parse().unwrap()).collect();
        match numbers[..] {
            [pieces, per_second] => Self::Paced { pieces, per_second },
            [pieces] => Self::Burst { pieces },
            _ => panic!("not a load: {input}"),
        }
    }
}

/// As an input has it.
impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paced { pieces, per_second } => write!(f, "{pieces} {per_second}"),
            Self::Burst { pieces } => write!(f, "{pieces}"),
        }
    }
}

/// Microseconds of a clock that all processes of a machine have in common.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000).unwrap()
}

fn piece(number: u64) -> String {
    format!("@{number}:{};", now())
}

/// The pieces in a text: their numbers, and when they were said.
pub(crate) fn pieces(text: &[u8]) -> impl Iterator<Item = (u64, u64)> {
    let after_signs = text.split(|byte| *byte == b'@').skip(1);
    after_signs.filter_map(|rest| {
        let (number, rest) = digits(rest)?;
        let (said_at, _) = digits(rest)?;
        Some((number, said_at))
    })
}

/// A number, and what comes after the byte that ends it.
fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let end = end.filter(|end| *end > 0)?;
    let digits = text[..end].iter();
    let number = digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    Some((number, &text[end + 1..]))
}

/// Says what its input tells it to.
pub(crate) struct Speaker;

impl Executor for Speaker {
    fn name(&self) -> &'static str {
        "speaker"
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        Ok(())
    }

    fn cancel_grace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn run(&self, run: RunContext, out: RunOutput) -> RunFuture {
        Box::pin(async move {
            let said = match Load::parse(&run.input) {
                Load::Paced { pieces, per_second } => paced(&out, pieces, per_second).await,
                Load::Burst { pieces } => burst(&out, pieces).await,
            };
            said.unwrap();
            RunEnd::Completed
        })
    }
}

async fn paced(out: &RunOutput, pieces: u64, per_second: u64) -> Result<(), OutputClosed> {
    let began = Instant::now();
    let mut ticks = interval(TICK);
    let mut said = 0;
    while said < pieces {
        ticks.tick().await;
        let due = began.elapsed().as_micros() * u128::from(per_second) / 1_000_000;
        let due = u64::try_from(due).unwrap().min(pieces);
        while said < due {
            out.text(piece(said)).await?;
            said += 1;
            if said % PER_ENTRY == 0 {
                out.end_entry().await?;
            }
        }
    }
    Ok(())
}

async fn burst(out: &RunOutput, pieces: u64) -> Result<(), OutputClosed> {
    for number in 0..pieces {
        out.tool_result("call", true, piece(number)).await?;
    }
    Ok(())
}
