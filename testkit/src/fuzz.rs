//! Case after case, each from a number of its own.

use std::env;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// Tries cases, one after the other: so many of them, or, where `YOI_FUZZ_SECONDS` says so, for as
/// long as that. Each is made from a number, its seed, which is also that of `fastrand` in this
/// thread, so a case that fails can be had again.
///
/// The first seed is drawn by chance, so that every run tries others; `YOI_SEED` names another.
///
/// ```
/// use yoi_testkit::Fuzz;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let tried = Fuzz::cases(100)
///     .run(async |seed| match seed.to_string().parse() {
///         Ok(read) if u64::eq(&read, &seed) => Ok(()),
///         other => Err(format!("{seed} became {other:?}")),
///     })
///     .await;
/// assert_eq!(tried, 100);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fuzz {
    cases: u64,
    first: u64,
    until: Option<Instant>,
}

impl Fuzz {
    /// So many cases, where the environment says nothing of time.
    ///
    /// # Panics
    /// When a variable is not a number.
    #[must_use]
    pub fn cases(cases: u64) -> Self {
        let seconds = number("YOI_FUZZ_SECONDS").map(Duration::from_secs);
        Self {
            cases,
            first: number("YOI_SEED").unwrap_or_else(|| fastrand::u64(..)),
            until: seconds.map(|seconds| Instant::now() + seconds),
        }
    }

    /// Tries them, and gives how many there were.
    ///
    /// # Panics
    /// With the first case that fails, and its seed; one that panics says its seed as well.
    pub async fn run<E: Display>(self, mut case: impl AsyncFnMut(u64) -> Result<(), E>) -> u64 {
        let mut tried = 0;
        while self
            .until
            .map_or(tried < self.cases, |until| Instant::now() < until)
        {
            let seed = self.first.wrapping_add(tried);
            let told = Seed(seed);
            // What the case draws by chance without being told of the seed.
            fastrand::seed(seed);
            let done = case(seed).await;
            drop(told);
            if let Err(error) = done {
                panic!("{error}\nYOI_SEED={seed} begins with this case");
            }
            tried += 1;
        }
        tried
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text:?}")),
    )
}

/// Says which case it was, where one panics.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[allow(
                clippy::print_stderr,
                reason = "it belongs to the panic, which is printed there"
            )]
            {
                eprintln!("YOI_SEED={} begins with this case", self.0);
            }
        }
    }
}
