//! The link table as pure functions, over every code and every status.

use yoi_client::Perspective;
use yoi_client::classify::{self, Head, Verdict, View};
use yoi_protocol::{Code, Effect, Failure, Operation, Origin, RuntimeId, Subject};

use crate::support::{RUNTIME, row, runtime_id};

fn with_view<T>(perspective: Perspective, test: impl FnOnce(&View<'_>) -> T) -> T {
    let meant: RuntimeId = runtime_id();
    test(&View {
        perspective,
        addressee: (perspective == Perspective::Link).then_some(&meant),
        operation: Some(Operation::SendInput),
    })
}

fn named(status: u16) -> Head<'static> {
    Head {
        status,
        runtime_id: Some(RUNTIME),
        content_type: Some("application/problem+json"),
        retry_after_ms: None,
    }
}

/// The row for an answer, judged by its head first and by its body where that is left open.
fn answered(perspective: Perspective, head: &Head<'_>, body: &[u8]) -> String {
    with_view(perspective, |view| match classify::head(view, head) {
        Verdict::Success => "success".to_owned(),
        Verdict::Failed(failure) => row(&failure),
        Verdict::Problem => row(&classify::problem(view, head, body).failure),
    })
}

/// A problem as a server with these words for it would answer it.
fn problem(code: Code, effect: Effect) -> Vec<u8> {
    let problem = Failure::new(code).with_effect(effect).into_problem(
        Origin::Runtime,
        &Subject::default(),
        Some(Operation::SendInput),
    );
    serde_json::to_vec(&problem).unwrap()
}

/// What the table says of a coded answer with the effect `word`.
fn expected(code: Code, word: &str) -> String {
    let same = format!("{} {word}", code.as_str());
    match code {
        Code::InvalidRequest
        | Code::CursorInvalid
        | Code::RouteNotFound
        | Code::RuntimeNotFound
        | Code::WorkerNotFound
        | Code::WorkerAlreadyExists
        | Code::WorkerBusy
        | Code::WorkerStopped
        | Code::CursorExpired
        | Code::CursorUnknown
        | Code::PayloadTooLarge
        | Code::UnsupportedMediaType
        | Code::IdempotencyConflict
        | Code::LimitReached
        | Code::StoreFailed
        | Code::TimedOut
        | Code::OperationUnsupported => same,
        Code::Unauthorized | Code::ForbiddenOrigin | Code::OperationDenied => {
            "runtime_auth_failed none".into()
        }
        Code::MisdirectedRequest => "runtime_identity_mismatch none".into(),
        Code::MethodNotAllowed => "operation_unsupported none".into(),
        Code::UpgradeRequired => "runtime_protocol_error none".into(),
        Code::Unavailable => "runtime_unavailable draining none".into(),
        Code::Internal
        | Code::RuntimeUnreachable
        | Code::RuntimeIdentityMismatch
        | Code::RuntimeAuthFailed
        | Code::RuntimeProtocolError
        | Code::RuntimeFailed
        | Code::RuntimeUnavailable
        | Code::RuntimeTimedOut => format!("runtime_failed {word}"),
    }
}

#[test]
fn each_coded_answer_has_its_row() {
    for &code in Code::ALL {
        for (effect, word) in [(Effect::None, "none"), (Effect::Unknown, "unknown")] {
            assert_eq!(
                answered(
                    Perspective::Link,
                    &named(code.status()),
                    &problem(code, effect)
                ),
                expected(code, word),
                "{code} {word}"
            );
        }
    }
}

#[test]
fn an_embedded_runtime_takes_the_same_rows() {
    for &code in Code::ALL {
        for (effect, word) in [(Effect::None, "none"), (Effect::Unknown, "unknown")] {
            let told = classify::passed_on(Failure::new(code).with_effect(effect));
            let expected = match code {
                // Told without a status, so what it did is the word, too.
                Code::UpgradeRequired => format!("runtime_protocol_error {word}"),
                _ => expected(code, word),
            };
            assert_eq!(row(&told), expected, "{code} {word}");
            assert_eq!(told.origin, Some(Origin::Runtime), "{code}");
        }
    }
}

#[test]
fn to_a_caller_a_coded_problem_is_what_it_says() {
    for &code in Code::ALL {
        let head = Head {
            runtime_id: None,
            ..named(code.status())
        };
        assert_eq!(
            answered(Perspective::Caller, &head, &problem(code, Effect::None)),
            format!("{} none", code.as_str())
        );
    }
}

#[test]
fn a_word_without_an_effect_is_not_trusted() {
    let body = br#"{"code":"worker_busy","active_run_id":"run-9"}"#;
    with_view(Perspective::Link, |view| {
        let refusal = classify::problem(view, &named(409), body);
        assert_eq!(row(&refusal.failure), "worker_busy unknown");
        assert_eq!(
            refusal.failure.details.active_run_id.unwrap().as_str(),
            "run-9"
        );
        assert_eq!(refusal.problem, None, "not a whole problem");
    });
}

/// What the table says of an uncoded answer with this status.
fn uncoded(status: u16) -> &'static str {
    match status {
        401 | 403 => "runtime_auth_failed none",
        404 | 405 | 501 => "operation_unsupported none",
        408 => "runtime_timed_out response unknown",
        421 => "runtime_identity_mismatch unknown",
        429 | 503 => "runtime_unavailable overloaded unknown",
        400..=499 => "runtime_protocol_error none",
        500..=599 => "runtime_failed unknown",
        _ => "runtime_protocol_error unknown",
    }
}

#[test]
fn each_uncoded_status_has_its_row() {
    let bodies: [&[u8]; 5] = [
        b"",
        b"<html>nginx</html>",
        br#"{"code":"no_such_code","effect":"none"}"#,
        br#"{"error":"nope"}"#,
        br#"["worker_busy"]"#,
    ];
    for status in (100..600).filter(|status| !(200..300).contains(status)) {
        for body in bodies {
            assert_eq!(
                answered(Perspective::Link, &named(status), body),
                uncoded(status),
                "{status} {}",
                String::from_utf8_lossy(body)
            );
        }
    }
}

#[test]
fn to_a_caller_an_uncoded_refusal_is_of_its_own_credential() {
    for status in (100..600).filter(|status| !(200..300).contains(status)) {
        let head = Head {
            runtime_id: None,
            ..named(status)
        };
        let expected = match status {
            401 => "unauthorized none",
            403 => "operation_denied none",
            _ => uncoded(status),
        };
        assert_eq!(
            answered(Perspective::Caller, &head, b"<html>"),
            expected,
            "{status}"
        );
    }
}

#[test]
fn a_code_with_a_status_that_is_not_its_own_is_uncoded() {
    for &code in Code::ALL {
        for status in [400, 404, 409, 429, 500, 503] {
            if status != code.status() {
                assert_eq!(
                    answered(
                        Perspective::Link,
                        &named(status),
                        &problem(code, Effect::None)
                    ),
                    uncoded(status),
                    "{code} as {status}"
                );
            }
        }
    }
}

#[test]
fn a_code_without_a_source_is_uncoded() {
    for &code in Code::ALL {
        let head = Head {
            runtime_id: None,
            ..named(code.status())
        };
        let expected = match code {
            // Who refuses to be somebody else need not say who it is.
            Code::MisdirectedRequest => "runtime_identity_mismatch none",
            _ => uncoded(code.status()),
        };
        assert_eq!(
            answered(Perspective::Link, &head, &problem(code, Effect::None)),
            expected,
            "{code}"
        );
    }
}

#[test]
fn whatever_another_runtime_answers_is_a_mismatch() {
    for status in 100..600 {
        let head = Head {
            runtime_id: Some("gpu-2"),
            ..named(status)
        };
        let told = answered(Perspective::Link, &head, b"");
        assert_eq!(told, "runtime_identity_mismatch unknown", "{status}");
    }
    let refused = Head {
        runtime_id: Some("gpu-2"),
        ..named(421)
    };
    let body = problem(Code::MisdirectedRequest, Effect::None);
    assert_eq!(
        answered(Perspective::Link, &refused, &body),
        "runtime_identity_mismatch none"
    );
}

#[test]
fn a_success_names_its_source() {
    for status in 200..300 {
        assert_eq!(
            answered(Perspective::Link, &named(status), b""),
            "success",
            "{status}"
        );
        let unnamed = Head {
            runtime_id: None,
            ..named(status)
        };
        assert_eq!(
            answered(Perspective::Link, &unnamed, b""),
            "runtime_protocol_error unknown",
            "{status}"
        );
        assert_eq!(
            answered(Perspective::Caller, &unnamed, b""),
            "success",
            "a Backend is nobody's Runtime"
        );
    }
}

#[test]
fn a_success_is_json_of_its_shape() {
    let json = Head {
        content_type: Some("application/json"),
        ..named(200)
    };
    let html = Head {
        content_type: Some("text/html"),
        ..named(200)
    };
    let unsaid = Head {
        content_type: None,
        ..named(200)
    };
    let read = |head: &Head<'_>, body: &[u8]| {
        classify::success::<Vec<u64>>(head, body).map_err(|failure| row(&failure))
    };
    assert_eq!(read(&json, b"[1,2]"), Ok(vec![1, 2]));
    assert_eq!(read(&unsaid, b"[1,2]"), Ok(vec![1, 2]));
    let garbled = Err("runtime_protocol_error unknown".to_owned());
    assert_eq!(read(&html, b"[1,2]"), garbled);
    assert_eq!(read(&json, b"<html>"), garbled);
    assert_eq!(read(&json, br#"{"a":1}"#), garbled);
    assert_eq!(read(&json, b""), garbled);
}

#[test]
fn unavailable_always_says_when_to_come_back() {
    let told = |body: &[u8], retry_after_ms| {
        let head = Head {
            retry_after_ms,
            ..named(503)
        };
        with_view(Perspective::Link, |view| {
            classify::problem(view, &head, body)
                .failure
                .details
                .retry_after_ms
        })
    };
    let coded = problem(Code::Unavailable, Effect::None);
    assert_eq!(told(&coded, None), Some(1000));
    assert_eq!(told(&coded, Some(7000)), Some(7000));
    assert_eq!(told(b"", None), Some(1000));
    assert_eq!(told(b"", Some(7000)), Some(7000));
}

#[test]
fn an_unsupported_operation_is_named() {
    with_view(Perspective::Link, |view| {
        let failure = classify::problem(view, &named(405), b"").failure;
        assert_eq!(failure.details.operation.as_deref(), Some("workers.input"));
    });
}

#[test]
fn a_link_failure_says_who_failed() {
    for &code in Code::ALL {
        let origin = with_view(Perspective::Link, |view| {
            match classify::head(view, &named(code.status())) {
                Verdict::Failed(failure) => failure.origin,
                _ => {
                    let body = problem(code, Effect::None);
                    classify::problem(view, &named(code.status()), &body)
                        .failure
                        .origin
                }
            }
        });
        assert_eq!(origin, Some(Origin::Runtime), "{code}");
    }
}
