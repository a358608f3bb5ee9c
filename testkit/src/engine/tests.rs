use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::{minded, run, spawn};

/// What whoever lets go of `owned` is told.
fn told<T>(owned: T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(owned))).expect_err("nothing was told");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[tokio::test]
async fn a_peer_that_panics_is_told_of_when_it_is_let_go_of() {
    let (there, seen) = oneshot::channel::<()>();
    let peer = spawn(async move {
        // Dropped as the panic unwinds, which is after it was heard.
        let _there = there;
        panic!("a peer tripped");
    });
    assert!(seen.await.is_err());
    let told = told::<super::Task<()>>(peer);
    assert!(told.contains("a peer tripped, at "), "{told}");
}

#[tokio::test]
async fn and_so_is_a_task_that_it_began() {
    let (there, seen) = oneshot::channel::<()>();
    let peer = spawn(async move {
        let connection = async move {
            let _there = there;
            panic!("a connection tripped");
        };
        tokio::spawn(minded::<_>(connection).map(|()| ()));
        std::future::pending::<()>().await;
    });
    assert!(seen.await.is_err());
    assert!(told(peer).contains("a connection tripped"));
}

#[tokio::test]
async fn a_peer_that_does_not_is_not() {
    let neighbour = spawn(async { panic!("the neighbour tripped") });
    let peer = spawn(std::future::pending::<()>());
    drop(peer);
    drop(neighbour.may_panic());
}

#[tokio::test]
async fn whoever_waits_for_it_panics_with_it_and_once() {
    let waited = AssertUnwindSafe(run(async { panic!("it tripped") })).catch_unwind();
    let panic: Result<(), _> = waited.await;
    let text = panic.expect_err("it panicked");
    assert_eq!(text.downcast_ref::<&str>(), Some(&"it tripped"));
}
