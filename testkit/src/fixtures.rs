//! The wire, written down: one JSON text for each body and frame of the contract.

#[macro_use]
mod list;
pub mod bodies;
pub mod frames;
pub mod problems;
pub mod unknown;

pub use list::Fixture;

/// Every fixture, in the order of the lists. The list is closed: a file without an entry here, or
/// an entry without a file, does not pass this crate's tests.
///
/// ```
/// use yoi_protocol::WorkerStatus;
/// use yoi_testkit::fixtures::{self, bodies};
///
/// assert_eq!(bodies::worker_running().status, WorkerStatus::Running);
///
/// // The same as text, for a reader written in another way.
/// let text = fixtures::get("answers/worker_running").text();
/// assert!(text.contains("\"running\""));
///
/// // Each is read as its type and written back without a change.
/// for fixture in fixtures::all().filter(|fixture| !fixture.is_unknown()) {
///     assert_eq!(fixture.rewritten().unwrap(), fixture.json());
/// }
/// ```
pub fn all() -> impl Iterator<Item = &'static Fixture> {
    [
        bodies::LIST,
        frames::LIST,
        frames::ENDS,
        problems::LIST,
        unknown::LIST,
    ]
    .into_iter()
    .flatten()
}

/// The fixture called `name`: its path below the folder of the fixtures, without `.json`.
///
/// # Panics
/// When there is none, with the names that come closest.
#[must_use]
#[track_caller]
pub fn get(name: &str) -> &'static Fixture {
    let end = name.rsplit('/').next().unwrap_or(name);
    let ends_alike = |other: &str| other.rsplit('/').next() == Some(end);
    all()
        .find(|fixture| fixture.name() == name)
        .unwrap_or_else(|| {
            let names = || all().map(Fixture::name);
            let mut close: Vec<_> = names().filter(|other| ends_alike(other)).collect();
            if close.is_empty() {
                close = names().filter(|other| other.contains(end)).collect();
            }
            panic!("there is no fixture {name:?}; close to it: {close:?}")
        })
}
