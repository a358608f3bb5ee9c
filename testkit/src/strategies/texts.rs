//! Texts for people, and JSON that the contract passes through.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value};
use yoi_protocol::CreateWorker;

/// Any text at all, up to 24 characters: control characters and characters of four bytes too.
pub fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        3 => "[ -~]{0,24}",
        1 => vec(any::<char>(), 0..=24).prop_map(String::from_iter),
    ]
}

/// A name that may be shown: 1 to 128 characters, none of them a control character.
///
/// ```
/// use proptest::prelude::*;
/// use yoi_protocol::worker::is_display_name;
/// use yoi_testkit::strategies::display_name;
///
/// proptest!(|(name in display_name())| prop_assert!(is_display_name(&name)));
/// ```
pub fn display_name() -> impl Strategy<Value = String> + Clone {
    // The class is all but control characters, unassigned and private ones.
    prop_oneof![
        9 => "\\PC{1,24}",
        1 => "\\PC{120,128}",
    ]
}

/// Labels as a create may have them: few, and each within its bounds.
pub(super) fn labels() -> impl Strategy<Value = std::collections::BTreeMap<String, String>> + Clone
{
    let longest = CreateWorker::MAX_LABEL_CHARS;
    let long = format!("\\PC{{{},{longest}}}", longest - 8);
    let value = prop_oneof![9 => "\\PC{0,16}".boxed(), 1 => text_of(&long)];
    btree_map("\\PC{1,16}", value, 0..4)
}

fn text_of(form: &str) -> BoxedStrategy<String> {
    proptest::string::string_regex(form)
        .expect("the form is one")
        .boxed()
}

/// Any JSON without fractions, a few levels deep. What a reader makes of the last digit of a
/// fraction is its own affair, and no field of the contract has one.
pub fn json() -> impl Strategy<Value = Value> + Clone {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

/// Fields that no version of the contract has: their names begin with `x_`.
pub fn json_fields() -> impl Strategy<Value = Map<String, Value>> + Clone {
    btree_map("x_[a-z_]{0,8}", json(), 0..4).prop_map(Map::from_iter)
}
