//! Every type of the wire: it is read back as it was written, and a reader that is older or newer
//! than its writer reads what both know.

use std::fmt::Debug;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use yoi_protocol::RawFrame;
use yoi_testkit::strategies;

use crate::cases;

/// Maps of which every entry is data, so that no name in them is an unknown one, and what a caller
/// says of an intent, which is kept whole.
const KEPT_WHOLE: &[&str] = &["labels", "intent"];

fn is_of_a_later_version(fields: &Map<String, Value>) -> bool {
    let named = fields.get("type").and_then(Value::as_str);
    named.is_some_and(|name| name.starts_with("x_"))
}

/// The same with `extra` in each object whose reader knows its fields.
fn sprinkled(json: &Value, extra: &Map<String, Value>) -> Value {
    match json {
        Value::Object(fields) if is_of_a_later_version(fields) => json.clone(),
        Value::Object(fields) => {
            let with_extra = |(name, value): (&String, &Value)| {
                let is_kept = KEPT_WHOLE.contains(&name.as_str());
                let value = if is_kept {
                    value.clone()
                } else {
                    sprinkled(value, extra)
                };
                (name.clone(), value)
            };
            let fields = fields.iter().map(with_extra);
            Value::Object(fields.chain(extra.clone()).collect())
        }
        Value::Array(items) => items.iter().map(|item| sprinkled(item, extra)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json.clone(),
    }
}

/// Where each field is whose reader knows it: the way to its object, and its name.
fn fields_of(json: &Value) -> Vec<String> {
    let mut found = Vec::new();
    gather(json, "", &mut found);
    found
}

fn gather(json: &Value, place: &str, found: &mut Vec<String>) {
    match json {
        Value::Object(fields) if is_of_a_later_version(fields) => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                let place = format!("{place}/{name}");
                if !KEPT_WHOLE.contains(&name.as_str()) {
                    gather(value, &place, found);
                }
                found.push(place);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                gather(item, &format!("{place}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn object_at<'a>(json: &'a mut Value, field: &'a str) -> (&'a mut Map<String, Value>, &'a str) {
    let (place, name) = field.rsplit_once('/').unwrap();
    let object = json.pointer_mut(place).and_then(Value::as_object_mut);
    (object.unwrap(), name)
}

fn without(json: &Value, field: &str) -> Value {
    let mut json = json.clone();
    let (object, name) = object_at(&mut json, field);
    object.remove(name);
    json
}

fn nulled(json: &Value, field: &str) -> Value {
    let mut json = json.clone();
    let (object, name) = object_at(&mut json, field);
    object.insert(name.to_owned(), Value::Null);
    json
}

/// What holds for each type of the wire.
fn is_of_the_wire<T>(value: &T, extra: &Map<String, Value>) -> Result<(), TestCaseError>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let text = serde_json::to_string(value).unwrap();
    let back = serde_json::from_str::<T>(&text);
    prop_assert_eq!(back.as_ref().ok(), Some(value), "{}", text);

    let json: Value = serde_json::from_str(&text).unwrap();
    let newer = sprinkled(&json, extra);
    let read = serde_json::from_value::<T>(newer.clone());
    prop_assert_eq!(read.as_ref().ok(), Some(value), "{}: {:?}", newer, read);

    for field in fields_of(&json) {
        let is_left_out = json.pointer(&field) != Some(&Value::Null);
        prop_assert!(is_left_out, "absent, and there: {}", field);
        let Ok(absent) = serde_json::from_value::<T>(without(&json, &field)) else {
            continue;
        };
        let null = serde_json::from_value::<T>(nulled(&json, &field));
        prop_assert_eq!(
            null.as_ref().ok(),
            Some(&absent),
            "null at {}: {:?}",
            field,
            null
        );
    }
    Ok(())
}

macro_rules! types_of_the_wire {
    ($($name:ident)*) => {
        proptest! {
            #![proptest_config(cases(24))]

            $(#[test]
            fn $name(value in strategies::$name(), extra in strategies::json_fields()) {
                is_of_the_wire(&value, &extra)?;
            })*
        }
    };
}

// All but `intent`, which is a part of others and has no unknown fields.
types_of_the_wire! {
    active_run backend_cursor boot_id cancel_request cancelled capability code control
    control_frame create_worker cursor delta delta_frame details diagnostic diagnostic_frame entry
    event event_frame field_error frame idempotency_key in_flight input_accepted input_request
    last_run limits list_query operation outcome page_token problem profile request_id role
    run_error run_id runtime_detail runtime_entry runtime_id runtime_info runtime_list severity
    stop_request stopped timestamp transcript transcript_query unknown_delta unknown_event worker
    worker_counts worker_id worker_page worker_status worker_summary worker_sweep
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_frame_is_passed_on_to_the_byte(
        frame in strategies::frame(),
        extra in strategies::json_fields(),
    ) {
        let json = sprinkled(&serde_json::to_value(&frame).unwrap(), &extra);
        let text = json.to_string();
        prop_assert_eq!(RawFrame::parse(&text).unwrap().to_text(), text);
    }

    #[test]
    fn a_failure_survives_its_problem(problem in strategies::problem()) {
        let failure = problem.clone().into_failure();
        prop_assert_eq!(failure.code, problem.code);
        prop_assert_eq!(failure.origin, Some(problem.origin));
        prop_assert_eq!(&*failure.details, &problem.details);
        prop_assert!(!problem.detail.is_empty());
    }

    #[test]
    fn a_query_is_the_same_in_a_url(
        list in strategies::list_query(),
        transcript in strategies::transcript_query(),
    ) {
        let text = serde_urlencoded::to_string(&list).unwrap();
        prop_assert_eq!(serde_urlencoded::from_str(&text), Ok(list));
        let text = serde_urlencoded::to_string(transcript).unwrap();
        prop_assert_eq!(serde_urlencoded::from_str(&text), Ok(transcript));
    }
}
