//! How a guard fails its test.

use std::thread::panicking;

/// Fails the test with what a guard has to tell. A test that is panicking already fails for its own
/// reason: it is told beside that, for it may well be the cause.
#[expect(
    clippy::print_stderr,
    reason = "shown with the output of a test that fails, and of no other"
)]
pub(crate) fn fail(told: &str) {
    if panicking() {
        eprintln!("{told}");
    } else {
        panic!("{told}");
    }
}
