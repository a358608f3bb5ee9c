//! What holds for every value and every order of events, tried with many of them.
//!
//! A property that fails prints the smallest case that it found. `PROPTEST_CASES` asks for more of
//! them than a quick run tries.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by panicking what was not so"
)]

mod fold;
mod ids;
mod once;
mod paging;
mod served;
mod wire;

use proptest::test_runner::Config;

/// So many cases, unless the environment asks for another number. Failures are printed and not
/// kept in files: what they find becomes a test of its own.
fn cases(count: u32) -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok();
    Config {
        cases: asked.and_then(|asked| asked.parse().ok()).unwrap_or(count),
        max_shrink_iters: 4096,
        failure_persistence: None,
        ..Config::default()
    }
}

/// Threads on which a test runs its cases.
fn threads() -> tokio::runtime::Runtime {
    let mut threads = tokio::runtime::Builder::new_current_thread();
    threads.enable_all().build().unwrap()
}
