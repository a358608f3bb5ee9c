//! Setting single keys of a tree from outside the file.

use crate::tree::{Node, Table, Value};
use crate::{Fault, Place};

/// The path that a variable of the overlay sets: `YOI_SERVER__BIND` is `server.bind`,
/// `YOI__DEFAULT_PROFILE` the key `default_profile` at the top.
pub(crate) fn path_of_variable(name: &str) -> Result<Vec<String>, Fault> {
    let path = name.strip_prefix("YOI_").unwrap_or(name);
    let path = path.strip_prefix('_').unwrap_or(path);
    let keys: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
    if keys.iter().any(String::is_empty) {
        return Err(Fault {
            place: Place::Variable(name.to_owned()),
            message: "names no key; write YOI_SECTION__KEY".to_owned(),
        });
    }
    Ok(keys)
}

/// Sets the scalar at `path`, making the tables on the way.
///
/// # Errors
/// A fault that names `place` when an array or a scalar is in the way.
pub(crate) fn set(
    root: &mut Node,
    path: &[String],
    place: &Place,
    text: String,
) -> Result<(), Fault> {
    let Some((last, parents)) = path.split_last() else {
        return Ok(());
    };
    let table = descend(root, parents, place)?;
    let key = existing_key(table, last);
    match table.get(&key).map(|node| &node.value) {
        Some(Value::Array(_)) => return Err(is_array(place, path)),
        Some(Value::Table(_)) => {
            return Err(Fault {
                place: place.clone(),
                message: format!("`{}` is a table; set one of its keys", path.join(".")),
            });
        }
        Some(
            Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::Given(_),
        )
        | None => {}
    }
    table.insert(
        key,
        Node {
            place: place.clone(),
            value: Value::Given(text),
        },
    );
    Ok(())
}

/// Drops the whole value at `path`, if there is one.
pub(crate) fn remove(root: &mut Node, path: &[String]) {
    if let Some((last, parents)) = path.split_last()
        && let Ok(table) = descend(root, parents, &Place::Nowhere)
    {
        table.remove(last);
    }
}

fn descend<'a>(
    root: &'a mut Node,
    parents: &[String],
    place: &Place,
) -> Result<&'a mut Table, Fault> {
    let mut node = root;
    for depth in 0..=parents.len() {
        let table = match &mut node.value {
            Value::Table(table) => table,
            Value::Array(_) => return Err(is_array(place, &parents[..depth])),
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Given(_) => {
                return Err(Fault {
                    place: place.clone(),
                    message: format!("`{}` is not a table", parents[..depth].join(".")),
                });
            }
        };
        let Some(key) = parents.get(depth) else {
            return Ok(table);
        };
        let key = existing_key(table, key);
        node = table
            .entry(key)
            .or_insert_with(|| Node::table(place.clone()));
    }
    Err(Fault {
        place: place.clone(),
        message: "names no key".to_owned(),
    })
}

fn is_array(place: &Place, path: &[String]) -> Fault {
    Fault {
        place: place.clone(),
        message: format!(
            "`{}` is an array, and arrays are set in the file alone",
            path.join(".")
        ),
    }
}

/// The key as the file spells it: variables have neither `-` nor `.` nor lower case.
fn existing_key(table: &Table, key: &str) -> String {
    let spelled = |name: &&String| name.to_ascii_lowercase().replace(['-', '.'], "_") == key;
    if table.contains_key(key) {
        return key.to_owned();
    }
    table
        .keys()
        .find(spelled)
        .cloned()
        .unwrap_or_else(|| key.to_owned())
}
