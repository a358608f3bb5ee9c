//! Every operation × every fault × every place: each cell is a line of a snapshot.
//!
//! A changed line is a changed promise: `cargo insta review` shows it beside the old one.

mod log;
mod several;

use yoi_protocol::Operation;
use yoi_testkit::matrix::{Cell, Pace, Place, Plan, run};
use yoi_testkit::{Family, Fault};

use log::Log;

/// The families, each with a snapshot of its own.
const FAMILIES: &[(Family, &str)] = &[
    (Family::Connect, "connect"),
    (Family::Head, "head"),
    (Family::Body, "body"),
    (Family::Answer, "answer"),
    (Family::Coded, "coded"),
    (Family::Stream, "stream"),
    (Family::Runtime, "runtime"),
];

/// Runs a plan. What is wrong with any cell fails the test, all of it at once.
async fn played(plan: &Plan) -> Vec<Cell> {
    let log = Log::listen();
    let cells = run(plan, &Pace::default()).await;
    let wrong: Vec<String> = cells
        .iter()
        .filter(|cell| !cell.wrong.is_empty())
        .map(|cell| format!("{cell}\n    {}", cell.wrong.join("\n    ")))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cells are wrong:\n{}",
        wrong.len(),
        cells.len(),
        wrong.join("\n")
    );
    log.assert_silent_about_secrets();
    cells
}

/// Keeps the cells of each family as a table.
fn keep(prefix: &str, cells: &[Cell]) {
    for (family, name) in FAMILIES {
        let of_family = cells.iter().filter(|cell| cell.fault.family() == *family);
        let table: String = of_family.map(|cell| format!("{cell}\n")).collect();
        if !table.is_empty() {
            insta::with_settings!({snapshot_path => "../../../../snapshots", prepend_module_to_snapshot => false}, {
                insta::assert_snapshot!(format!("{prefix}_{name}"), table);
            });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_that_lasts() {
    let cells = played(&Plan::all()).await;
    let every = Operation::ALL.len() * Fault::all().count() * Place::ALL.len();
    assert_eq!(cells.len(), every, "there is a cell for each");
    keep("matrix", &cells);
}

/// What the Backend tries again, and what it must not: the fault happens once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_that_happens_once() {
    let on_the_link = |fault: Fault| match fault.family() {
        Family::Connect | Family::Head | Family::Body | Family::Answer | Family::Coded => true,
        // A stream is struck once anyway, and what is inside a Runtime lasts.
        Family::Stream | Family::Runtime => false,
        newer => panic!("{fault} is of a family that is nowhere here: {newer:?}"),
    };
    let plan = Plan::all().once().only(Place::Remote).faults(on_the_link);
    keep("matrix_once", &played(&plan).await);
}
