//! Faults of one exchange.

use yoi_protocol::{Effect, Operation};
use yoi_testkit::{Exchange, Family, Fault, Outcome};

use crate::rig::{Rig, compare};

/// Lets each fault of a family happen to a command and to a read.
async fn each(family: Family, faults: impl Fn(Fault) -> bool) {
    let mut count = 0;
    for fault in Fault::all().filter(|fault| fault.family() == family && faults(*fault)) {
        let rig = Rig::awaiting(fault).await;
        let operations = [
            Operation::SendInput,
            Operation::GetWorker,
            Operation::Events,
        ];
        for operation in operations
            .into_iter()
            .filter(|asked| fault.applies_to(*asked))
        {
            happens_once(&rig, fault, operation).await;
            count += 1;
        }
        undone(&rig, fault).await;
    }
    assert!(count > 0, "no fault of {family:?}");
}

/// The first request meets it, the second does not, though it is still there.
async fn happens_once(rig: &Rig, fault: Fault, operation: Operation) {
    let before = rig.worker().await;
    let injected = rig.link.inject(fault.on(operation).first(1));
    let told = rig.meet(operation, &before).await;
    assert_eq!(injected.fired(), 1, "{fault} on {operation}: {told:?}");
    let met: Vec<Exchange> = rig.link.exchanges();
    let met = met.iter().rfind(|exchange| exchange.fault == Some(fault));
    let met = met.unwrap_or_else(|| panic!("{fault} on {operation}: no exchange tells of it"));
    assert_eq!(met.operation, Some(operation));

    let applied = rig.truth(&before).await.transcript_length > 0;
    if operation == Operation::SendInput && told.is_err() {
        assert_eq!(
            applied, met.forwarded,
            "{fault}: sent on is applied, by a real Runtime"
        );
        let none = told
            .as_ref()
            .is_err_and(|failure| failure.effect == Effect::None);
        assert!(!(none && applied), "{fault} was to change nothing, and did");
    }
    compare(fault, operation, told);

    let after = rig.worker().await;
    let well = rig.ask(operation, &after).await;
    assert!(well.is_ok(), "{fault} on {operation}, the second: {well:?}");
    assert_eq!(injected.fired(), 1, "{fault} on {operation}");
}

/// Every request meets it, until it is undone.
async fn undone(rig: &Rig, fault: Fault) {
    let operations = [Operation::GetWorker, Operation::Events];
    let operation = operations
        .into_iter()
        .find(|asked| fault.applies_to(*asked))
        .unwrap();
    let worker = rig.worker().await;
    let injected = rig.link.inject(fault.on(operation));
    let times = match fault.outcome(operation) {
        // What takes its time need not be waited for twice.
        Outcome::Fails(row) if row.phase.is_some() => 1,
        // Once the new credential was read nothing is refused.
        Outcome::Unharmed if fault == Fault::CredentialRotated => 1,
        _ => 2,
    };
    for _ in 0..times {
        compare(fault, operation, rig.meet(operation, &worker).await);
    }
    assert_eq!(injected.fired(), times, "{fault} happens to each");
    injected.undo();
    let well = rig.ask(operation, &worker).await;
    assert!(well.is_ok(), "{fault} is undone: {well:?}");
}

#[tokio::test]
async fn no_connection() {
    each(Family::Connect, |_| true).await;
}

#[tokio::test]
async fn no_head() {
    each(Family::Head, |_| true).await;
}

#[tokio::test]
async fn something_with_the_body() {
    each(Family::Body, |_| true).await;
}

#[tokio::test]
async fn another_answer() {
    each(Family::Answer, |fault| !matches!(fault, Fault::Uncoded(_))).await;
}

#[tokio::test]
async fn a_status_that_nobody_signed() {
    each(Family::Answer, |fault| matches!(fault, Fault::Uncoded(_))).await;
}

#[tokio::test]
async fn a_problem_of_the_runtime() {
    each(Family::Coded, |_| true).await;
}

#[tokio::test]
async fn what_a_fault_can_happen_to() {
    let rig = Rig::start().await;
    let worker = rig.worker().await;
    for &operation in Operation::ALL {
        let fault = rig.link.inject(Fault::ResetBeforeHead.on(operation));
        compare(
            Fault::ResetBeforeHead,
            operation,
            rig.ask(operation, &worker).await,
        );
        for &other in Operation::ALL.iter().filter(|other| **other != operation) {
            let fresh = rig.worker().await;
            let well = rig.ask(other, &fresh).await;
            assert!(
                well.is_ok(),
                "{other} with a fault on {operation}: {well:?}"
            );
        }
        assert_eq!(fault.fired(), 1, "{operation}");
    }
}
