//! Whole answers that are not the right ones.

use serde_json::Value;

use super::{Fault, Scene};
use crate::link::answer::Answer;
use crate::link::head::Head;
use crate::link::step::{Script, Step};
use yoi_protocol::header;

/// An id that no test gives a Runtime or a Worker of its own.
pub(super) const ANOTHER: &str = "somebody-else";
/// What a proxy shows to people.
const PAGE: &str = "<!doctype html><title>Oops</title><p>Something is not as it should be.";

pub(super) fn not_http(_answer: Answer, _scene: &mut Scene<'_>) -> Script {
    vec![Step::say("SSH-2.0-OpenSSH_9.9\r\n\r\n"), Step::Close]
}

pub(super) fn redirected(scene: &Scene<'_>) -> Script {
    let mut answer = Answer::new(307, "text/html", PAGE);
    // Whoever follows it meets the same again.
    answer.head.set("location", scene.asked.target());
    said(&answer)
}

pub(super) fn anonymous_answer(mut answer: Answer, _scene: &mut Scene<'_>) -> Script {
    answer.head.remove(header::RUNTIME_ID);
    said(&answer)
}

pub(super) fn not_json(mut answer: Answer, _scene: &mut Scene<'_>) -> Script {
    answer.head.set("content-type", "text/html");
    answer.say(PAGE);
    said(&answer)
}

pub(super) fn another_shape(mut answer: Answer, _scene: &mut Scene<'_>) -> Script {
    answer.say(r#"{"surprise":[1,2,3]}"#);
    said(&answer)
}

pub(super) fn another_runtimes_answer(mut answer: Answer, _scene: &mut Scene<'_>) -> Script {
    answer.head.set(header::RUNTIME_ID, ANOTHER);
    said(&answer)
}

pub(super) fn another_runtimes_body(answer: Answer, _scene: &mut Scene<'_>) -> Script {
    about_another(answer, "runtime_id")
}

pub(super) fn another_workers_answer(answer: Answer, _scene: &mut Scene<'_>) -> Script {
    about_another(answer, "worker_id")
}

pub(super) fn upgrade_stripped(asked: &mut Head) {
    for name in ["upgrade", "sec-websocket-key", "sec-websocket-version"] {
        asked.remove(name);
    }
    asked.set("connection", "close");
}

pub(super) fn uncoded(scene: &Scene<'_>) -> Script {
    let Fault::Uncoded(status) = scene.fault else {
        unreachable!("{} has a script of its own", scene.fault);
    };
    let mut answer = Answer::new(status, "text/html", PAGE);
    if matches!(status, 429 | 503) {
        answer.head.set("retry-after", "0");
    }
    said(&answer)
}

/// All of an answer, after which the connection goes on as it would have.
pub(crate) fn said(answer: &Answer) -> Script {
    vec![Step::Say(answer.to_bytes())]
}

/// The answer with another id at every place of that name.
fn about_another(mut answer: Answer, field: &str) -> Script {
    if let Ok(mut body) = serde_json::from_slice(&answer.body) {
        rename(&mut body, field);
        answer.say(body.to_string());
    }
    said(&answer)
}

/// Whether something in the body of an answer has that name.
pub(super) fn names(answer: &Answer, field: &str) -> bool {
    fn within(value: &Value, field: &str) -> bool {
        match value {
            Value::Object(fields) => fields
                .iter()
                .any(|(name, value)| name == field || within(value, field)),
            Value::Array(items) => items.iter().any(|item| within(item, field)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    serde_json::from_slice(&answer.body).is_ok_and(|body| within(&body, field))
}

fn rename(value: &mut Value, field: &str) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == field {
                    *value = Value::from(ANOTHER);
                } else {
                    rename(value, field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, field)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
