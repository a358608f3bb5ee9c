//! Whole answers that are not the right ones.

use super::{Fault, Scene};
use crate::link::answer::Answer;
use crate::link::head::Head;
use crate::link::step::{Script, Step};
use crate::retell::retell;
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
    if let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(&answer.body) {
        retell(&mut body, &|name| (name == field).then_some(ANOTHER));
        answer.say(body.to_string());
    }
    said(&answer)
}

/// Whether something in the body of an answer has that name.
pub(super) fn names(answer: &Answer, field: &str) -> bool {
    let body = serde_json::from_slice(&answer.body);
    body.is_ok_and(|mut body| retell(&mut body, &|name| (name == field).then_some(ANOTHER)))
}
