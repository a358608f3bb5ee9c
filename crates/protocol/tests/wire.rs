//! What stands on the wire, read and written: one test per promise of the contract.

use serde_json::{Value, json};
use yoi_protocol::{
    Code, CreateWorker, Cursor, Delta, Details, Effect, Entry, Event, Failure, Frame,
    IdempotencyKey, Limits, Operation, Origin, Problem, RawFrame, RawFrameError, Reason, RuntimeId,
    RuntimeInfo, Subject, Timestamp, UnknownEvent, WorkerCounts, WorkerId,
};

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("parses")
}

#[test]
fn ids_take_exactly_the_form_of_the_contract() {
    let longest = "a".repeat(64);
    for good in ["a", "0", "rt-1", "a.b_c-d", longest.as_str()] {
        assert_eq!(WorkerId::parse(good).expect(good).as_str(), good);
    }
    let too_long = "a".repeat(65);
    for bad in [
        "",
        "-a",
        ".a",
        "_a",
        "A",
        "a/b",
        "a b",
        "ä",
        "a\n",
        too_long.as_str(),
    ] {
        let error = WorkerId::parse(bad).expect_err(bad).to_string();
        assert!(error.starts_with("worker_id must be"), "{error}");
        assert!(
            serde_json::from_value::<RuntimeId>(json!(bad)).is_err(),
            "{bad:?}"
        );
    }
}

#[test]
fn keys_and_cursors_are_bounded() {
    assert!(IdempotencyKey::parse(&"~".repeat(255)).is_ok());
    assert!(IdempotencyKey::parse(&"~".repeat(256)).is_err());
    assert!(IdempotencyKey::parse("two words").is_err());
    assert!(Cursor::parse(&"c".repeat(256)).is_ok());
    assert!(Cursor::parse(&"c".repeat(257)).is_err());
    assert!(Cursor::parse("a+b").is_err());
}

#[test]
fn a_time_out_of_range_is_the_first_or_the_last_there_is() {
    let (first, last) = (
        Timestamp::from_unix_ms(i64::MIN),
        Timestamp::from_unix_ms(i64::MAX),
    );
    assert!(first.to_string().starts_with("-009999-"), "{first}");
    assert!(last.to_string().starts_with("9999-12-"), "{last}");
}

#[test]
fn a_time_keeps_its_milliseconds_and_its_z() {
    let time: Timestamp = "2026-01-31T08:00:00.120Z".parse().expect("a time");
    assert_eq!(time.to_string(), "2026-01-31T08:00:00.120Z");
    assert_eq!(Timestamp::from_unix_ms(time.as_unix_ms()), time);
    assert_eq!(
        Timestamp::from_unix_ms(0).to_string(),
        "1970-01-01T00:00:00.000Z"
    );
    assert!("2026-01-31T08:00:00+01:00".parse::<Timestamp>().is_err());
    assert_eq!(
        time.ms_since(Timestamp::from_unix_ms(time.as_unix_ms() + 5)),
        0
    );
}

/// The table of the contract, written out a second time on purpose: a status that moves is a
/// change of the contract, not a refactoring.
#[test]
fn every_code_has_the_status_of_the_contract() {
    let table = [
        (400, "invalid_request"),
        (400, "cursor_invalid"),
        (401, "unauthorized"),
        (403, "forbidden_origin"),
        (403, "operation_denied"),
        (404, "route_not_found"),
        (404, "runtime_not_found"),
        (404, "worker_not_found"),
        (405, "method_not_allowed"),
        (409, "worker_already_exists"),
        (409, "worker_busy"),
        (409, "worker_stopped"),
        (410, "cursor_expired"),
        (410, "cursor_unknown"),
        (413, "payload_too_large"),
        (415, "unsupported_media_type"),
        (421, "misdirected_request"),
        (422, "idempotency_conflict"),
        (426, "upgrade_required"),
        (429, "limit_reached"),
        (500, "internal"),
        (500, "store_failed"),
        (501, "operation_unsupported"),
        (502, "runtime_unreachable"),
        (502, "runtime_identity_mismatch"),
        (502, "runtime_auth_failed"),
        (502, "runtime_protocol_error"),
        (502, "runtime_failed"),
        (503, "unavailable"),
        (503, "runtime_unavailable"),
        (504, "timed_out"),
        (504, "runtime_timed_out"),
    ];
    let ours: Vec<_> = Code::ALL
        .iter()
        .map(|code| (code.status(), code.as_str()))
        .collect();
    assert_eq!(ours, table);
    for code in Code::ALL {
        assert_eq!(
            serde_json::to_value(code).expect("writes"),
            json!(code.as_str())
        );
        assert_eq!(parse::<Code>(json!(code.as_str())), *code);
        assert_eq!(code.urn(), format!("urn:yoi:problem:{code}"));
    }
}

#[test]
fn operations_have_one_name_each() {
    for operation in Operation::ALL {
        assert_eq!(
            serde_json::to_value(operation).expect("writes"),
            json!(operation.as_str())
        );
    }
    let commands = Operation::ALL
        .iter()
        .filter(|operation| operation.is_command())
        .count();
    assert_eq!(commands, 4);
}

#[test]
fn a_problem_shows_its_effect_for_commands_alone() {
    let about = Subject {
        runtime_id: Some(RuntimeId::parse("gpu-1").expect("an id")),
        worker_id: Some(WorkerId::parse("w-1").expect("an id")),
        request_id: None,
    };
    let failure = Failure::new(Code::RuntimeUnreachable)
        .with_reason(Reason::Reset)
        .by(Origin::Link)
        .with_effect(Effect::Unknown);

    let command = failure
        .clone()
        .into_problem(Origin::Backend, &about, Some(Operation::SendInput));
    assert_eq!(
        serde_json::to_value(&command).expect("writes"),
        json!({
            "type": "urn:yoi:problem:runtime_unreachable",
            "title": "Runtime unreachable",
            "status": 502,
            "code": "runtime_unreachable",
            "detail": "runtime gpu-1 cannot be reached (reset)",
            "runtime_id": "gpu-1",
            "worker_id": "w-1",
            "origin": "link",
            "effect": "unknown",
            "reason": "reset",
        })
    );
    assert_eq!(command.into_failure(), failure);

    let read = failure.into_problem(Origin::Backend, &about, Some(Operation::GetWorker));
    assert_eq!(read.effect, None);
    assert_eq!(
        read.into_failure().effect,
        Effect::Unknown,
        "who does not say is not trusted"
    );
}

#[test]
fn who_answers_is_the_origin_unless_told_otherwise() {
    let problem =
        Failure::new(Code::WorkerNotFound).into_problem(Origin::Runtime, &Subject::default(), None);
    assert_eq!(problem.origin, Origin::Runtime);
}

#[test]
fn every_code_has_words_without_any_detail() {
    for code in Code::ALL {
        let words = Failure::new(*code).describe(&Subject::default());
        assert!(words.len() > 10, "{code}: {words:?}");
    }
}

#[test]
fn several_attempts_did_nothing_only_if_each_did_nothing() {
    assert_eq!(Effect::None.and(Effect::None), Effect::None);
    assert_eq!(Effect::None.and(Effect::Unknown), Effect::Unknown);
    assert_eq!(Effect::Unknown.and(Effect::None), Effect::Unknown);
}

#[test]
fn null_and_absent_mean_the_same() {
    let sparse: CreateWorker = parse(json!({}));
    let nulls: CreateWorker = parse(json!({
        "worker_id": null, "display_name": null, "profile": null, "intent": null, "labels": null,
        "config_bundle": null, "requested_capabilities": null, "workspace_refs": null, "mount_refs": null,
    }));
    assert_eq!(sparse, nulls);
    assert_eq!(serde_json::to_value(&sparse).expect("writes"), json!({}));
    assert_eq!(
        parse::<Details>(json!({"errors": null, "limit": null})),
        Details::default()
    );
}

#[test]
fn a_create_names_each_field_that_is_not_allowed() {
    let body: CreateWorker = parse(json!({
        "display_name": "a\u{7}b", "profile": "", "labels": {"a/b": "x".repeat(257), "": "x"},
        "path": "/etc/passwd", "socket": "/run/x", "session": "s",
    }));
    let pointers: Vec<_> = body
        .validate()
        .into_iter()
        .map(|error| error.pointer)
        .collect();
    assert_eq!(
        pointers,
        ["/display_name", "/profile", "/labels/", "/labels/a~1b"]
    );
    let kept = serde_json::to_value(&body).expect("writes");
    for ignored in ["path", "socket", "session"] {
        assert!(
            kept.get(ignored).is_none(),
            "{ignored} must not survive parsing"
        );
    }
}

#[test]
fn an_event_of_a_newer_version_is_kept_and_a_broken_known_one_refused() {
    let newer = json!({"type": "mood_changed", "mood": "curious", "run_id": "run-1"});
    let event: Event = parse(newer.clone());
    assert!(
        matches!(&event, Event::Unknown(UnknownEvent { event_type, .. }) if event_type == "mood_changed")
    );
    assert_eq!(serde_json::to_value(&event).expect("writes"), newer);

    assert!(serde_json::from_value::<Event>(json!({"type": "run_started"})).is_err());
    assert!(serde_json::from_value::<Event>(json!({"run_id": "run-1"})).is_err());
    assert!(serde_json::from_value::<Delta>(json!({"type": "text", "text": "no offset"})).is_err());
    assert!(matches!(
        parse::<Delta>(json!({"type": "audio", "data": "…"})),
        Delta::Unknown(_)
    ));
}

#[test]
fn frames_read_as_the_contract_shows_them() {
    for text in [
        json!({"kind":"event","seq":7,"cursor":"c7","worker_id":"w-1","at":"2026-01-31T08:00:00.000Z","event":{"type":"run_started","run_id":"run-1"}}),
        json!({"kind":"delta","worker_id":"w-1","delta":{"type":"text","run_id":"run-1","offset":12,"text":"…"}}),
        json!({"kind":"control","control":{"type":"caught_up","in_flight":{"run_id":"run-1","text":"so far","tool_arguments":[{"call_id":"c","text":"{"}]}}}),
        json!({"kind":"control","control":{"type":"upstream_lost","code":"runtime_unreachable"}}),
        json!({"kind":"diagnostic","diagnostic":{"code":"cursor_expired","message":"…"}}),
    ] {
        let frame: Frame = parse(text.clone());
        assert_eq!(serde_json::to_value(&frame).expect("writes"), text);
    }
}

#[test]
fn a_proxy_replaces_its_own_fields_and_keeps_the_rest_to_the_byte() {
    let text = r#"{"kind":"event","seq":7,"cursor":"up","worker_id":"w-1","at":"later","new":{"a": 1.50},"event":{"type":"mood","x": 1e3}}"#;
    let mut frame = RawFrame::parse(text).expect("a frame");
    assert_eq!(
        (frame.seq(), frame.cursor().expect("a cursor").as_str()),
        (Some(7), "up")
    );
    assert_eq!(frame.payload_type("event").as_deref(), Some("mood"));
    frame.set("cursor", &"down");
    frame.set("runtime_id", &"gpu-1");
    assert_eq!(
        frame.to_text(),
        r#"{"kind":"event","seq":7,"cursor":"down","worker_id":"w-1","at":"later","new":{"a": 1.50},"event":{"type":"mood","x": 1e3},"runtime_id":"gpu-1"}"#
    );
}

#[test]
fn what_is_not_a_frame_is_refused_by_the_field_at_fault() {
    for (text, error) in [
        ("", RawFrameError::NotAnObject),
        ("[]", RawFrameError::NotAnObject),
        (
            r#"{"kind":"delta","kind":"event"}"#,
            RawFrameError::NotAnObject,
        ),
        ("{}", RawFrameError::Field("kind")),
        (
            r#"{"kind":"event","cursor":"c","event":{"type":"t"}}"#,
            RawFrameError::Field("seq"),
        ),
        (
            r#"{"kind":"event","seq":0,"cursor":"c","event":{"type":"t"}}"#,
            RawFrameError::Field("seq"),
        ),
        (
            r#"{"kind":"event","seq":1,"cursor":"not/safe","event":{"type":"t"}}"#,
            RawFrameError::Field("cursor"),
        ),
        (
            r#"{"kind":"event","seq":1,"cursor":"c","event":{}}"#,
            RawFrameError::Field("event"),
        ),
    ] {
        assert_eq!(RawFrame::parse(text).expect_err(text), error, "{text}");
    }
}

/// A field that may be absent may be `null`, whatever its type.
#[test]
fn null_is_as_good_as_absent() {
    fn same<T: serde::de::DeserializeOwned + std::fmt::Debug + PartialEq>(json: serde_json::Value) {
        let mut absent = json.clone();
        absent
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        assert_ne!(json, absent, "it has a null");
        let absent: T = serde_json::from_value(absent).unwrap();
        assert_eq!(serde_json::from_value::<T>(json).unwrap(), absent);
    }
    same::<Entry>(json!({
        "sequence": 1, "role": "user", "content": "x", "run_id": "run-1",
        "at": "2026-01-31T08:00:00.000Z", "redacted": null,
    }));
    same::<Limits>(json!({"max_runs": null, "max_streams": 7}));
    same::<WorkerCounts>(json!({"total": 1, "idle": 1, "running": null, "stopped": null}));
    same::<RuntimeInfo>(json!({
        "runtime_id": "r", "boot_id": "b", "api_version": "v1", "version": "1", "status": "running",
        "store": "memory", "started_at": "2026-01-31T08:00:00.000Z", "workers": null, "limits": null,
    }));
    same::<Problem>(json!({
        "type": "urn:yoi:problem:internal", "title": "t", "status": 500, "code": "internal",
        "origin": "runtime", "detail": null,
    }));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in ".*") {
        let _ = Cursor::parse(&text);
        let _ = WorkerId::parse(&text);
        let _ = text.parse::<Timestamp>();
        let _ = RawFrame::parse(&text);
        let _ = serde_json::from_str::<Frame>(&text);
        let _ = serde_json::from_str::<Problem>(&text);
    }

    #[test]
    fn every_time_survives_the_round_trip(ms in proptest::prelude::any::<i64>()) {
        let time = Timestamp::from_unix_ms(ms);
        proptest::prop_assert_eq!(time.to_string().parse::<Timestamp>(), Ok(time));
    }
}
