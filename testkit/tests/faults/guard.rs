//! What the guard of a fault makes sure of.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use yoi_protocol::Operation;
use yoi_testkit::{Fault, FaultProxy, TestRuntime};

use crate::rig::Rig;

/// What a panic says.
fn said(panic: Box<dyn std::any::Any + Send>) -> String {
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test]
async fn a_fault_that_never_happened_fails_the_test() {
    let rig = Rig::start().await;
    let worker = rig.worker().await;
    let fault = rig
        .link
        .inject(Fault::ClosedInBody.on(Operation::Stop).first(2));
    rig.ask(Operation::GetWorker, &worker).await.unwrap();
    let panic = std::panic::catch_unwind(AssertUnwindSafe(|| drop(fault))).unwrap_err();
    let told = said(panic);
    assert!(
        told.starts_with(
            "closed_in_body never happened on the link to gpu-1, where it was meant for \
             workers.stop (the first 2); what came by:"
        ),
        "{told}"
    );
    assert!(
        told.contains(&format!("\n  GET /v1/workers/{worker}\n")),
        "{told}"
    );
    assert!(told.contains("the seed of this link is "), "{told}");
}

#[tokio::test]
async fn a_test_that_fails_anyway_says_why_it_does() {
    let rig = Rig::start().await;
    let test = async {
        let _fault = rig.link.inject(Fault::NoHead);
        panic!("{}", "something else");
    };
    let panic = AssertUnwindSafe(test).catch_unwind().await.unwrap_err();
    assert_eq!(said(panic), "something else");
}

/// Run on its own, the test above has something to show.
#[test]
fn a_test_that_fails_anyway_shows_what_came_by_and_the_seed() {
    let program = std::env::current_exe().unwrap();
    let test = "guard::a_test_that_fails_anyway_says_why_it_does";
    let ran = std::process::Command::new(program)
        .args([test, "--exact", "--nocapture"])
        .output()
        .unwrap();
    let shown = String::from_utf8(ran.stderr).unwrap();
    let begins = "no_head never happened on the link to gpu-1; no request came by at all\n";
    assert!(
        shown.contains(&format!("{begins}the seed of this link is ")),
        "{shown}"
    );
}

#[tokio::test]
async fn a_fault_can_be_waited_for() {
    let rig = Rig::start().await;
    let worker = rig.worker().await;
    let fault = rig.link.inject(Fault::Uncoded(500));
    let waited = fault.until_fired(2);
    let asked = async {
        for _ in 0..2 {
            rig.ask(Operation::GetWorker, &worker).await.unwrap_err();
        }
    };
    tokio::join!(waited, asked);
}

#[tokio::test]
async fn the_first_of_several_happens_and_the_next_when_it_is_over() {
    let rig = Rig::start().await;
    let worker = rig.worker().await;
    let first = rig.link.inject(Fault::Uncoded(500).first(1));
    let second = rig.link.inject(Fault::Uncoded(404));
    for code in ["runtime_failed", "operation_unsupported"] {
        let failure = rig.ask(Operation::GetWorker, &worker).await.unwrap_err();
        assert_eq!(failure.code.as_str(), code);
    }
    assert_eq!((first.fired(), second.fired()), (1, 1));
}

#[tokio::test]
async fn a_link_cannot_harm_the_inside_of_a_runtime() {
    let rig = Rig::start().await;
    let inject = || drop(rig.link.inject(Fault::StoreRefuses));
    let panic = std::panic::catch_unwind(AssertUnwindSafe(inject)).unwrap_err();
    assert!(said(panic).starts_with("store_refuses happens inside a Runtime"));
}

#[tokio::test]
async fn the_same_seed_cuts_at_the_same_byte() {
    let runtime = TestRuntime::start().await;
    let mut answers = Vec::new();
    for _ in 0..2 {
        let link = FaultProxy::builder(&runtime).seed(7).start().await;
        let fault = link.inject(Fault::ClosedInHead);
        answers.push(raw(&link).await);
        drop(fault);
    }
    assert!(answers[0].starts_with('H'), "{answers:?}");
    assert_eq!(answers[0].len(), answers[1].len(), "{answers:?}");
}

/// What else is asked, and when, does not decide where an answer is cut.
#[tokio::test]
async fn the_same_seed_cuts_requests_at_the_same_time_at_the_same_bytes() {
    let runtime = TestRuntime::start().await;
    let lines = ["/v1/runtime?a", "/v1/runtime?b", "/v1/runtime?a"];
    let mut cuts = Vec::new();
    for order in [[0, 1, 2], [1, 0, 2], [0, 2, 1]] {
        let link = FaultProxy::builder(&runtime).seed(7).start().await;
        assert_eq!(link.seed(), 7);
        let fault = link.inject(Fault::ClosedInHead);
        let mut cut = [0; 3];
        for at in order {
            cut[at] = raw_at(&link, lines[at]).await.len();
        }
        cuts.push(cut);
        drop(fault);
    }
    assert_eq!((cuts[0], cuts[0]), (cuts[1], cuts[2]));
    assert_ne!(cuts[0][0], cuts[0][2], "each attempt is cut for itself");
}

/// All that comes back to a look at the Runtime.
async fn raw(link: &FaultProxy) -> String {
    raw_at(link, "/v1/runtime").await
}

/// All that comes back to a request.
async fn raw_at(link: &FaultProxy, target: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(link.address())
        .await
        .unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
