//! What people read of a failure: sentences that stand by themselves, and are true.

use yoi_protocol::{
    Code, Failure, Operation, Origin, Phase, Reason, RequestId, RunId, RuntimeId, Subject, WorkerId,
};

fn about() -> Subject {
    Subject {
        runtime_id: Some(RuntimeId::parse("rt-1").expect("an id")),
        worker_id: Some(WorkerId::parse("w-1").expect("an id")),
        request_id: RequestId::parse("r-1").ok(),
    }
}

/// A failure of this code with every field that any code has.
fn full(code: Code) -> Failure {
    let mut failure = Failure::new(code)
        .with_error("/display_name", "must be shorter")
        .with_error("/labels", "must be fewer")
        .with_reason(Reason::Draining)
        .with_phase(Phase::Connect);
    failure.details.active_run_id = RunId::parse("run-1").ok();
    failure.details.limit_bytes = Some(8);
    failure.details.limit = Some("max_workers".to_owned());
    failure.details.operation = Some("workers.create".to_owned());
    failure
}

#[test]
fn every_code_has_a_sentence_with_much_or_little_known() {
    for code in Code::ALL {
        for failure in [Failure::new(*code), full(*code)] {
            for about in [Subject::default(), about()] {
                let text = failure.describe(&about);
                let first = text.chars().next().unwrap_or(' ');
                assert!(first.is_lowercase() || first == '/', "{code}: {text:?}");
                assert!(
                    text.ends_with(|last: char| last.is_alphanumeric() || last == ')'),
                    "{code}: {text:?}"
                );
                for wrong in ["  ", "::", " :", "None", "Some(", "\"", "\n"] {
                    assert!(!text.contains(wrong), "{code}: {text:?}");
                }
                assert!(text.len() < 200, "{code}: {text:?}");
                let problem = failure.clone().into_problem(Origin::Runtime, &about, None);
                assert_eq!(problem.detail, text);
                assert_ne!(problem.detail, problem.title, "{code} says nothing more");
            }
        }
    }
}

#[test]
fn whoever_is_known_is_named() {
    let named = |code, name: &str| {
        let text = full(code).describe(&about());
        assert!(text.contains(name), "{code}: {text:?}");
    };
    for code in Code::ALL {
        if code.as_str().starts_with("runtime_") || *code == Code::OperationUnsupported {
            named(*code, "rt-1");
        } else if code.as_str().starts_with("worker_") {
            named(*code, "w-1");
        }
    }
    named(Code::WorkerBusy, "run-1");
    named(Code::LimitReached, "max_workers");
    named(Code::PayloadTooLarge, "8 bytes");
    named(Code::OperationDenied, "workers.create");
    named(Code::RuntimeUnavailable, "(draining)");
    named(Code::RuntimeTimedOut, "(connect)");
}

#[test]
fn the_field_at_fault_is_named_also_when_it_is_the_whole_body() {
    let told = |failure: Failure| failure.describe(&about());
    assert_eq!(
        told(Failure::invalid("", "must be a JSON object")),
        "the body: must be a JSON object"
    );
    let one = Failure::invalid("/limit", "must be from 1 to 1000");
    assert_eq!(told(one.clone()), "/limit: must be from 1 to 1000");
    assert_eq!(
        told(one.with_error("/page", "is wrong").with_error("/x", "too")),
        "/limit: must be from 1 to 1000 (and 2 more)"
    );
}

#[test]
fn what_is_not_supported_is_the_field_where_it_is_not_the_operation() {
    let create = Failure::unsupported(Operation::CreateWorker.as_str());
    assert_eq!(
        create.describe(&about()),
        "runtime rt-1 does not support workers.create"
    );
    let with_bundle = create.with_error("/config_bundle", "is not granted");
    assert_eq!(
        with_bundle.describe(&about()),
        "runtime rt-1 does not support /config_bundle of workers.create"
    );
    assert_eq!(
        with_bundle
            .with_error("/mount_refs", "is not granted")
            .describe(&about()),
        "runtime rt-1 does not support /config_bundle of workers.create (and 1 more)"
    );
}
