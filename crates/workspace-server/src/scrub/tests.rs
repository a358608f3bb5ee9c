use std::sync::Arc;

use yoi_protocol::Failure;

use super::{MAX_TEXT_CHARS, Scrubber};

fn clean(scrubber: &Scrubber, text: &str) -> String {
    let mut text = text.to_owned();
    scrubber.text(&mut text);
    text
}

#[test]
fn an_address_is_hidden_in_every_part_and_case() {
    let scrubber = Scrubber::of(Scrubber::address("https://Box.internal:7401/base/"));
    for text in [
        "see https://box.internal:7401/base/v1/workers",
        "cannot reach BOX.INTERNAL:7401",
        "box.internal did not answer",
        "no route /base",
    ] {
        let shown = clean(&scrubber, text).to_ascii_lowercase();
        assert!(!shown.contains("box.internal"), "{shown}");
        assert!(!shown.contains("/base"), "{shown}");
        assert!(shown.contains("[hidden]"), "{shown}");
    }
    let v6 = Scrubber::of(Scrubber::address("http://[fd00::17]:7401"));
    assert_eq!(clean(&v6, "at fd00::17 it is"), "at [hidden] it is");
}

#[test]
fn a_credential_is_hidden_as_it_is_now() {
    let now = Arc::new(std::sync::Mutex::new(vec!["first-token".to_owned()]));
    let seen = Arc::clone(&now);
    let scrubber = Scrubber::new(Vec::new(), Arc::new(move || seen.lock().unwrap().clone()));
    assert_eq!(clean(&scrubber, "Bearer first-token!"), "Bearer [hidden]!");
    now.lock().unwrap().push("second-token".to_owned());
    assert_eq!(clean(&scrubber, "second-token"), "[hidden]");
}

#[test]
fn control_characters_cannot_hide_a_secret_from_the_search() {
    let scrubber = Scrubber::of(vec!["/srv/store".to_owned()]);
    assert_eq!(
        clean(&scrubber, "at /srv/\u{1b}st\u{0}ore\nnow"),
        "at [hidden] now"
    );
}

#[test]
fn a_long_text_is_cut_after_hiding() {
    let scrubber = Scrubber::of(vec!["secret-token".to_owned()]);
    let text = format!("{}secret-token", "é".repeat(MAX_TEXT_CHARS - 6));
    let shown = clean(&scrubber, &text);
    assert_eq!(shown.chars().count(), MAX_TEXT_CHARS);
    assert!(!shown.contains("secret"), "{shown}");
}

/// Of a program's last words a Runtime keeps the end, which is where the reason stands.
#[test]
fn the_longest_diagnostic_of_a_runtime_keeps_its_end() {
    let scrubber = Scrubber::of(vec!["secret-token".to_owned()]);
    let text = format!("{} the reason", "x".repeat(8 * 1024 - 11));
    assert_eq!(clean(&scrubber, &text), text);
}

#[test]
fn a_failures_texts_are_cleaned_and_counted() {
    let scrubber = Scrubber::of(vec!["/srv/store".to_owned()]);
    let mut failure = Failure::limit("quota of /srv/store");
    for n in 0..100 {
        failure = failure.with_error(format!("/{n}/srv/store"), "in /srv/store");
    }
    let cleaned = scrubber.failure(failure);
    let shown = format!("{cleaned:?}");
    assert!(!shown.contains("/srv/store"), "{shown}");
    assert_eq!(cleaned.details.errors.len(), 64);
}

#[test]
fn every_text_in_a_value_is_cleaned() {
    let scrubber = Scrubber::of(vec!["/srv/store".to_owned()]);
    let mut value = serde_json::json!(["/srv/store", 7, {"a": null, "b": ["at /srv/store"]}]);
    assert!(scrubber.value(&mut value));
    let clean = serde_json::json!(["[hidden]", 7, {"a": null, "b": ["at [hidden]"]}]);
    assert_eq!(value, clean);
    assert!(!scrubber.value(&mut value));
}
