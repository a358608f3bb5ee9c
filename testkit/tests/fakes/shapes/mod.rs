//! The fixtures against the servers, in both directions: what a real answer has and the fixture
//! lacks fails, and so does the reverse.

mod backend;
mod ledger;
mod links;
mod problems;
mod requests;
mod workers;

use yoi_testkit::fixtures;

use ledger::Ledger;

/// Fixtures of situations that no server of this test was brought into, and who holds them instead.
const NOT_DRIVEN: &[(&str, &str)] = &[
    (
        "answers/runtime_draining",
        "a Runtime answers so for a moment; its type holds it",
    ),
    (
        "answers/transcript_redacted",
        "no policy redacts yet; its type holds it",
    ),
    (
        "backend/runtimes_degraded",
        "the tests of presence bring it about",
    ),
    (
        "frames/backend/upstream_lost",
        "no Backend reconnects yet; its type holds it",
    ),
    (
        "frames/backend/upstream_restored",
        "no Backend reconnects yet; its type holds it",
    ),
    (
        "problems/backend/internal",
        "a fault of ours; as every problem",
    ),
    ("problems/backend/limit_reached", "as that of a Runtime"),
    (
        "problems/backend/operation_denied",
        "policies are configured elsewhere; as every problem",
    ),
    (
        "problems/backend/operation_unsupported",
        "as that of a Runtime",
    ),
    (
        "problems/backend/runtime_unavailable_circuit_open",
        "as that which is draining",
    ),
    (
        "problems/backend/runtime_unavailable_overloaded",
        "as that which is draining",
    ),
    ("problems/backend/unavailable", "as that of a Runtime"),
    (
        "problems/link/runtime_timed_out_body",
        "as that of another phase",
    ),
    (
        "problems/link/runtime_timed_out_connect",
        "as that of another phase",
    ),
    (
        "problems/link/runtime_unreachable_dns",
        "as that of another reason",
    ),
    (
        "problems/link/runtime_unreachable_tls",
        "as that of another reason",
    ),
    (
        "problems/runtime/internal",
        "a fault of ours; as every problem",
    ),
    (
        "problems/runtime/timed_out_uncertain",
        "as that without an effect",
    ),
    (
        "problems/runtime/unavailable",
        "a Runtime answers so for a moment; as every problem",
    ),
];

#[tokio::test]
async fn the_fixtures_are_what_the_servers_say() {
    let (workers, problems, backend, links) = tokio::join!(
        workers::walk(),
        problems::walk(),
        backend::walk(),
        links::walk(),
    );
    let requests = requests::walk().await;
    let mut all = Ledger::default();
    for ledger in [workers, problems, backend, links, requests] {
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
