//! `eventually` and the canaries.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use yoi_testkit::{Canaries, eventually, eventually_within};

/// What a panic says.
fn panic_of(test: impl FnOnce()) -> String {
    let payload = std::panic::catch_unwind(AssertUnwindSafe(test)).unwrap_err();
    payload.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn it_gives_what_it_waited_for() {
    let mut looks = 0;
    let seen = eventually("the fifth look", async || {
        looks += 1;
        if looks == 5 { Ok("five") } else { Err(looks) }
    })
    .await;
    assert_eq!((seen, looks), ("five", 5));
}

/// What a wait says that is in vain.
async fn vain<T>(waiting: impl Future<Output = T>) -> String {
    match AssertUnwindSafe(waiting).catch_unwind().await {
        Ok(_) => panic!("it was not in vain"),
        Err(payload) => payload.downcast_ref::<String>().unwrap().clone(),
    }
}

#[tokio::test(start_paused = true)]
async fn it_shows_the_last_state() {
    let mut looks = 0;
    let said = vain(eventually_within(
        Duration::from_millis(50),
        "a miracle",
        async || {
            looks += 1;
            Err::<(), _>(format!("state {looks}"))
        },
    ))
    .await;
    assert!(said.starts_with("a miracle: not within 50ms"), "{said}");
    assert!(said.contains("tools.rs"), "where: {said}");
    assert!(looks > 1, "it looked once");
    assert!(
        said.contains(&format!("\"state {looks}\"")),
        "the last: {said}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_look_that_never_ends_ends() {
    let said = vain(eventually_within(
        Duration::from_millis(50),
        "an answer",
        async || std::future::pending::<Result<(), ()>>().await,
    ))
    .await;
    assert!(said.contains("not one look came to an end"), "{said}");
}

#[test]
fn a_canary_is_found() {
    let mut canaries = Canaries::new();
    let token = canaries.plant("the token");
    canaries.watch("the address", "Example.ORG:7401");
    canaries.check("a good line", "all is well at 127.0.0.1");
    let said = panic_of(|| canaries.check("a log line", &format!("Bearer {token}")));
    assert!(said.starts_with("a log line shows the token"), "{said}");
    let said = panic_of(|| canaries.check_debug("a value", &"http://EXAMPLE.org:7401/"));
    assert!(said.starts_with("a value shows the address"), "{said}");
}

#[test]
fn a_canary_is_found_in_a_cause() {
    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("it failed")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let mut canaries = Canaries::new();
    let path = canaries.plant("the path");
    let error = Outer(std::io::Error::other(path));
    let said = panic_of(|| canaries.check_error("an error", &error));
    assert!(said.starts_with("an error shows the path"), "{said}");
}

#[test]
fn two_canaries_differ() {
    let mut canaries = Canaries::new();
    assert_ne!(canaries.plant("one"), canaries.plant("another"));
}

#[test]
fn what_is_found_anywhere_is_not_looked_for() {
    let mut canaries = Canaries::new();
    let said = panic_of(|| canaries.watch("the port", "80"));
    assert!(said.starts_with("the port is too short"), "{said}");
}
