//! The fixtures against the servers, in both directions: what a real answer has and the fixture
//! lacks fails, and so does the reverse.

mod backend;
mod faults;
mod ledger;
mod links;
mod problems;
mod requests;
mod workers;

use yoi_testkit::fixtures;

use ledger::Ledger;

/// Fixtures of situations that no server of this test was brought into, and why not.
const NOT_DRIVEN: &[(&str, &str)] = &[
    ("answers/transcript_redacted", "no policy redacts yet"),
    (
        "backend/runtimes_degraded",
        "the tests of presence bring it about",
    ),
    (
        "problems/backend/internal",
        "a fault of ours: none is known to be there",
    ),
    (
        "problems/backend/limit_reached",
        "a TestBackend cannot be told how many requests it takes",
    ),
    (
        "problems/backend/operation_unsupported",
        "no Backend refuses yet what a Runtime does not list",
    ),
    (
        "problems/backend/unavailable",
        "a Backend answers so for a moment only: while it shuts down",
    ),
    (
        "problems/runtime/internal",
        "a fault of ours: none is known to be there",
    ),
];

#[tokio::test]
async fn the_fixtures_are_what_the_servers_say() {
    let (workers, problems, backend, links, faults) = tokio::join!(
        workers::walk(),
        problems::walk(),
        backend::walk(),
        links::walk(),
        faults::walk(),
    );
    let requests = requests::walk().await;
    let mut all = Ledger::default();
    for ledger in [workers, problems, backend, links, faults, requests] {
        all.add(ledger);
    }
    for (name, _why) in NOT_DRIVEN {
        assert!(!all.has(name), "{name} is driven: take it off the list");
        let _ = fixtures::get(name);
    }
    let missing: Vec<_> = fixtures::all()
        .map(fixtures::Fixture::name)
        .filter(|name| !all.has(name) && !NOT_DRIVEN.iter().any(|(other, _)| other == name))
        .filter(|name| !name.starts_with("unknown/") && !name.contains("/diagnostics/"))
        .collect();
    all.check();
    assert!(
        missing.is_empty(),
        "no server was brought to say {missing:?}"
    );
}

/// What a fixture depicts and what a server says differ, and both are told.
#[test]
#[should_panic(expected = "only the fixture has `transcript_length: number`")]
fn a_fixture_that_drifted_is_told() {
    let mut real = fixtures::get("answers/worker").json();
    real.as_object_mut()
        .expect("an object")
        .remove("transcript_length");
    real["x_new"] = true.into();
    let mut ledger = Ledger::default();
    ledger.compare("answers/worker", &real);
    let told = ledger.told();
    assert!(
        told.contains("only the server says `x_new: bool`"),
        "{told}"
    );
    ledger.check();
}
