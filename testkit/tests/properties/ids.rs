//! Ids: the form of the contract is taken, every other is refused, and a refusal repeats nothing.

use proptest::prelude::*;
use yoi_protocol::{
    BootId, Cursor, IdempotencyKey, PageToken, RequestId, RunId, RuntimeId, Timestamp, WorkerId,
};
use yoi_testkit::strategies::{self, hostile};

use crate::cases;

/// The contract's own words: `^[a-z0-9][a-z0-9._-]{0,63}$`.
fn is_id(text: &str) -> bool {
    let begins = |one: char| matches!(one, 'a'..='z' | '0'..='9');
    let goes_on = |one: char| begins(one) || matches!(one, '.' | '_' | '-');
    let mut letters = text.chars();
    letters.next().is_some_and(begins) && letters.all(goes_on) && text.chars().count() <= 64
}

fn is_visible(text: &str, longest: usize) -> bool {
    let fits = (1..=longest).contains(&text.chars().count());
    fits && text.chars().all(|one| ('!'..='~').contains(&one))
}

fn is_url_safe(text: &str, longest: usize) -> bool {
    let is_safe = |one: char| one.is_ascii_alphanumeric() || "-._~".contains(one);
    is_visible(text, longest) && text.chars().all(is_safe)
}

/// Any text, and texts that are nearly of one of the forms.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => any::<String>(),
        2 => "[a-z0-9._-]{0,66}",
        2 => "[A-Za-z0-9._~-]{0,600}",
        2 => "[ -~]{0,260}",
        3 => hostile::not_an_id(),
    ]
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_text_is_taken_if_and_only_if_it_has_the_form(text in texts()) {
        prop_assert_eq!(RuntimeId::parse(&text).is_ok(), is_id(&text));
        prop_assert_eq!(WorkerId::parse(&text).is_ok(), is_id(&text));
        prop_assert_eq!(RunId::parse(&text).is_ok(), is_id(&text));
        prop_assert_eq!(BootId::parse(&text).is_ok(), is_visible(&text, 64));
        prop_assert_eq!(IdempotencyKey::parse(&text).is_ok(), is_visible(&text, 255));
        prop_assert_eq!(Cursor::parse(&text).is_ok(), is_url_safe(&text, 256));
        prop_assert_eq!(PageToken::parse(&text).is_ok(), is_url_safe(&text, 512));
        prop_assert_eq!(RequestId::parse(&text).is_ok(), is_url_safe(&text, 128));
    }

    #[test]
    fn no_near_miss_is_an_id(text in hostile::not_an_id()) {
        let error = WorkerId::parse(&text).unwrap_err();
        // Short texts are in any sentence.
        prop_assert!(text.len() < 8 || !error.to_string().contains(&text), "{}", error);
        let json = serde_json::to_string(&text).unwrap();
        prop_assert!(serde_json::from_str::<WorkerId>(&json).is_err());
    }

    #[test]
    fn an_id_is_the_same_by_every_way(id in strategies::worker_id()) {
        let text = id.as_str();
        prop_assert_eq!(WorkerId::parse(text), Ok(id.clone()));
        prop_assert_eq!(text.parse(), Ok(id.clone()));
        prop_assert_eq!(id.to_string(), text);
        prop_assert_eq!(serde_json::to_value(&id).unwrap(), text);
        prop_assert_eq!(serde_json::from_value::<WorkerId>(text.into()).unwrap(), id);
    }

    #[test]
    fn times_are_ordered_as_their_texts(one in strategies::timestamp(), other in strategies::timestamp()) {
        let (text, other_text) = (one.to_string(), other.to_string());
        prop_assert!(text.ends_with('Z') && text.len() == 24, "{}", text);
        prop_assert_eq!(text.cmp(&other_text), one.cmp(&other));
        prop_assert_eq!(text.parse::<Timestamp>(), Ok(one));
    }
}
