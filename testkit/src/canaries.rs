//! Planted secrets, and whether they show anywhere.

use std::fmt;

/// Secrets that a test plants, in tokens, addresses and paths, and looks for in everything that
/// comes out.
///
/// ```
/// use yoi_testkit::Canaries;
///
/// let mut canaries = Canaries::new();
/// let token = canaries.plant("the token");
/// canaries.watch("the address", "10.9.8.7:7401");
/// canaries.check("an error", "runtime gpu-1 cannot be reached (refused)");
/// # let _ = token;
/// ```
///
/// ```should_panic
/// # use yoi_testkit::Canaries;
/// # let mut canaries = Canaries::new();
/// let token = canaries.plant("the token");
/// canaries.check("an error", &format!("401 for Bearer {token}"));
/// ```
#[derive(Debug, Default)]
pub struct Canaries {
    planted: Vec<Canary>,
}

#[derive(Debug)]
struct Canary {
    name: String,
    text: String,
}

/// A shorter text would be found where nobody wrote it.
const SHORTEST: usize = 5;

impl Canaries {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A new secret that occurs nowhere else, to be planted as `name`.
    #[must_use = "a secret that is planted nowhere shows nowhere"]
    pub fn plant(&mut self, name: &str) -> String {
        let text = format!("canary{:016x}", fastrand::u64(..));
        self.watch(name, &text);
        text
    }

    /// Looks for a text as well that is there anyway: an address, a port, a path.
    ///
    /// # Panics
    /// When the text is so short that it would be found by accident.
    pub fn watch(&mut self, name: &str, text: &str) {
        assert!(
            text.len() >= SHORTEST,
            "{name} is too short to be looked for: it needs {SHORTEST} characters"
        );
        self.planted.push(Canary {
            name: name.to_owned(),
            text: text.to_ascii_lowercase(),
        });
    }

    /// The name of one of them that `text` shows, in whatever case; `None` when it shows none.
    #[must_use]
    pub fn shown(&self, text: &str) -> Option<&str> {
        let lower = text.to_ascii_lowercase();
        let shows = |canary: &&Canary| lower.contains(&canary.text);
        self.planted.iter().find(shows).map(|canary| &*canary.name)
    }

    /// Fails the test if `text`, which came out of `place`, shows one of them, in whatever case.
    ///
    /// # Panics
    /// When it does, with the place and the canary.
    #[track_caller]
    pub fn check(&self, place: &str, text: &str) {
        if let Some(name) = self.shown(text) {
            panic!("{place} shows {name}: {text}");
        }
    }

    /// The same for what a value shows by `Debug`, plain and pretty.
    ///
    /// # Panics
    /// As [`check`](Self::check).
    #[track_caller]
    pub fn check_debug(&self, place: &str, value: &impl fmt::Debug) {
        self.check(place, &format!("{value:?}"));
        self.check(place, &format!("{value:#?}"));
    }

    /// The same for an error: its `Display`, its `Debug`, and those of all that caused it.
    ///
    /// # Panics
    /// As [`check`](Self::check).
    #[track_caller]
    pub fn check_error(&self, place: &str, error: &dyn std::error::Error) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.check(place, &error.to_string());
            self.check_debug(place, &error);
            next = error.source();
        }
    }
}
