use serde_json::{Value, json};
use yoi_protocol::{Code, RawFrame, RuntimeId, WorkerId};

use super::{Kind, Rewriter};
use crate::scrub::Scrubber;
use crate::seal::KeyRing;

fn rewriter() -> Rewriter {
    Rewriter::new(
        &KeyRing::random(),
        &RuntimeId::parse("r").unwrap(),
        &WorkerId::parse("w").unwrap(),
        Scrubber::of(vec!["/srv/secret".to_owned()]),
    )
}

fn rewrite(frame: &Value) -> (Value, Kind) {
    let raw = RawFrame::parse(&frame.to_string()).unwrap();
    let rewritten = rewriter().rewrite(raw).unwrap();
    (
        serde_json::from_slice(&rewritten.frame.text).unwrap(),
        rewritten.kind,
    )
}

#[test]
fn an_event_of_a_newer_version_keeps_every_field() {
    let frame = json!({
        "kind": "event", "seq": 3, "cursor": "abc", "worker_id": "w", "at": "2026-01-01T00:00:00Z",
        "more": {"x": 1}, "event": {"type": "from_the_future", "deep": [1, {"y": "/srv/secret"}]},
    });
    let (shown, kind) = rewrite(&frame);
    assert_eq!(shown["runtime_id"], "r");
    assert_ne!(shown["cursor"], "abc");
    for field in ["seq", "worker_id", "at", "more", "event", "kind"] {
        assert_eq!(shown[field], frame[field]);
    }
    assert!(matches!(kind, Kind::Event { seq: 3, .. }));
}

#[test]
fn what_the_runtime_says_is_cleaned_and_what_the_worker_says_is_not() {
    let finished = json!({
        "kind": "event", "seq": 3, "cursor": "abc", "worker_id": "w", "at": "2026-01-01T00:00:00Z",
        "event": {"type": "run_finished", "run_id": "run-1", "outcome": "failed", "new": 7,
            "error": {"code": "store", "message": "cannot open /srv/secret\u{7}", "newer": true}},
    });
    let (shown, _) = rewrite(&finished);
    assert_eq!(shown["event"]["error"]["message"], "cannot open [hidden]");
    assert_eq!(shown["event"]["error"]["newer"], true);
    assert_eq!(shown["event"]["new"], 7);

    let said = json!({
        "kind": "event", "seq": 3, "cursor": "abc", "worker_id": "w", "at": "2026-01-01T00:00:00Z",
        "event": {"type": "entry_appended", "entry": {"sequence": 2, "role": "assistant",
            "content": "see /srv/secret\u{7}", "run_id": "run-1", "at": "2026-01-01T00:00:00Z"}},
    });
    let (shown, _) = rewrite(&said);
    assert_eq!(shown["event"], said["event"]);

    let diagnostic = json!({
        "kind": "event", "seq": 3, "cursor": "abc", "worker_id": "w", "at": "2026-01-01T00:00:00Z",
        "event": {"type": "diagnostic", "severity": "warning", "code": "stderr",
            "message": "line\nat /srv/secret"},
    });
    let (shown, _) = rewrite(&diagnostic);
    assert_eq!(shown["event"]["message"], "line at [hidden]");
}

#[test]
fn a_frame_of_another_worker_or_runtime_is_a_protocol_error() {
    for frame in [
        json!({"kind": "delta", "worker_id": "v", "delta": {"type": "text", "run_id": "run-1", "offset": 0, "text": "a"}}),
        json!({"kind": "delta", "delta": {"type": "text", "run_id": "run-1", "offset": 0, "text": "a"}}),
        json!({"kind": "delta", "worker_id": "w", "runtime_id": "s", "delta": {"type": "text", "run_id": "run-1", "offset": 0, "text": "a"}}),
        json!({"kind": "control", "control": 7}),
    ] {
        let raw = RawFrame::parse(&frame.to_string()).unwrap();
        let failure = rewriter().rewrite(raw).unwrap_err();
        assert_eq!(failure.code, Code::RuntimeProtocolError, "{frame}");
    }
}

#[test]
fn a_delta_without_a_place_passes_without_one() {
    let frame =
        json!({"kind": "delta", "worker_id": "w", "delta": {"type": "mood", "value": "good"}});
    let (shown, kind) = rewrite(&frame);
    assert_eq!(shown["delta"], frame["delta"]);
    assert!(matches!(kind, Kind::Delta(None)));
}

#[test]
fn what_stands_at_the_place_of_a_runtimes_text_is_cleaned_whatever_is_wrong_round_it() {
    let event = |event: Value| {
        json!({"kind": "event", "seq": 3, "cursor": "abc", "worker_id": "w",
            "at": "2026-01-01T00:00:00Z", "event": event})
    };
    let place = "in /srv/secret";
    for (told, places) in [
        // No code, so it is no RunError; a code that is no text; an error that is no object.
        (
            json!({"type": "run_finished", "error": {"message": place}}),
            &["/error/message"][..],
        ),
        (
            json!({"type": "run_finished", "error": {"code": 7, "message": place}}),
            &["/error/message"],
        ),
        (
            json!({"type": "run_finished", "error": {"code": place}}),
            &["/error/code"],
        ),
        (json!({"type": "run_finished", "error": place}), &["/error"]),
        (
            json!({"type": "run_finished", "error": {"message": [place, {"at": place}]}}),
            &["/error/message/0", "/error/message/1/at"],
        ),
        // A Worker that lacks all else.
        (
            json!({"type": "snapshot", "worker": {"display_ref": place, "display_name": place,
            "profile": place, "status": "asleep",
            "last_run": {"error": {"code": place, "message": place}}}}),
            &[
                "/worker/display_ref",
                "/worker/display_name",
                "/worker/profile",
                "/worker/last_run/error/code",
                "/worker/last_run/error/message",
            ],
        ),
        (
            json!({"type": "diagnostic", "message": {"text": place}}),
            &["/message/text"],
        ),
    ] {
        let (shown, _) = rewrite(&event(told.clone()));
        for place in places {
            let text = shown["event"].pointer(place).and_then(Value::as_str);
            assert_eq!(text, Some("in [hidden]"), "{place} of {shown}");
        }
        assert!(!shown.to_string().contains("/srv/secret"), "{shown}");
    }
    // What the Worker was told and said is not the Runtime's text.
    let (shown, _) = rewrite(&event(
        json!({"type": "snapshot", "worker": {"labels": {"at": place}},
        "transcript": [{"content": place}]}),
    ));
    assert_eq!(shown["event"]["worker"]["labels"]["at"], place);
    assert_eq!(shown["event"]["transcript"][0]["content"], place);
}
