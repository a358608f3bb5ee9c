//! JSON, told of somebody else.

use serde_json::Value;

/// Replaces the value of every field for which `name` has one, at any depth, and says whether there
/// was any. What stands in a replaced value is gone with it.
pub(crate) fn retell<'a>(value: &mut Value, name: &dyn Fn(&str) -> Option<&'a str>) -> bool {
    match value {
        Value::Object(fields) => fields.iter_mut().fold(false, |any, (field, value)| {
            any | match name(field) {
                Some(told) => {
                    *value = told.into();
                    true
                }
                None => retell(value, name),
            }
        }),
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |any, item| any | retell(item, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
