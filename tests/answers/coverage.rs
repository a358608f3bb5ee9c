//! What the committed snapshots show, held against what a server documents.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use yoi_http_kit::{DocumentedRoute, RouteTable};

/// Every answer in the committed snapshots whose names begin alike.
#[derive(Debug)]
pub(crate) struct Shown(Vec<Answer>);

#[derive(Debug)]
struct Answer {
    file: String,
    /// Method and path.
    request: String,
    status: u16,
    /// The code of a problem, or of the last diagnostic of a stream.
    code: Option<String>,
    close: Option<u64>,
}

impl Shown {
    /// Reads `snapshots/<prefix>*.snap`, as they are committed: what a test that runs beside this
    /// one would write there is not in them.
    pub(crate) fn read(prefix: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../snapshots");
        let mut shown = Self(Vec::new());
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.starts_with(prefix) && name.ends_with(".snap") {
                let text = fs::read_to_string(&path).unwrap();
                // Below the head that insta writes. What is no JSON holds no answers.
                let body = text.splitn(3, "---\n").nth(2).unwrap();
                if let Ok(body) = serde_json::from_str(body) {
                    shown.take(&name, &body);
                }
            }
        }
        assert!(!shown.0.is_empty(), "no snapshot {prefix}* holds an answer");
        shown
    }

    fn take(&mut self, file: &str, value: &Value) {
        let Some(status) = value["status"].as_u64().filter(|_| names_requests(value)) else {
            match value {
                Value::Object(fields) => fields.values().for_each(|one| self.take(file, one)),
                Value::Array(items) => items.iter().for_each(|one| self.take(file, one)),
                _ => {}
            }
            return;
        };
        let frames = value["frames"].as_array();
        let last = match frames {
            Some(frames) => frames.last().map(|frame| &frame["diagnostic"]["code"]),
            None => Some(&value["body"]["code"]),
        };
        let one = value.get("request").into_iter();
        let many = value["requests"].as_array().into_iter().flatten();
        for request in one.chain(many) {
            self.0.push(Answer {
                file: file.to_owned(),
                request: request.as_str().unwrap().to_owned(),
                status: u16::try_from(status).unwrap(),
                code: last.and_then(Value::as_str).map(str::to_owned),
                close: value["close"].as_u64(),
            });
        }
    }

    /// Every success and every code that a route of `table` documents and no snapshot shows.
    pub(crate) fn lacking(&self, table: &RouteTable) -> Vec<String> {
        let mut lacking = Vec::new();
        for route in table.documented() {
            let told: Vec<_> = self.0.iter().filter(|one| is_of(&route, one)).collect();
            let successes = route.successes.iter().filter(|status| {
                let status = status.as_u16();
                !told.iter().any(|one| one.status == status)
            });
            let codes = route.codes.iter().filter(|code| {
                let is_told = |one: &&Answer| {
                    one.status == code.status() && one.code.as_deref() == Some(code.as_str())
                };
                !told.iter().any(is_told)
            });
            let name =
                |what: &dyn std::fmt::Display| format!("{} {}: {what}", route.method, route.path);
            lacking.extend(successes.map(|status| name(&status.as_u16())));
            lacking.extend(codes.map(|code| name(code)));
        }
        lacking
    }

    /// Every answer of a route of `table` whose status or code it does not document.
    pub(crate) fn undocumented(&self, table: &RouteTable) -> Vec<String> {
        let routes: Vec<_> = table.documented().collect();
        let mut undocumented = Vec::new();
        for answer in &self.0 {
            let Some(route) = routes.iter().find(|route| is_of(route, answer)) else {
                continue;
            };
            let is_documented = if answer.status < 400 {
                let mut successes = route.successes.iter();
                successes.any(|status| status.as_u16() == answer.status)
            } else {
                let mut codes = route.codes.iter();
                codes.any(|code| answer.code.as_deref() == Some(code.as_str()))
            };
            if !is_documented {
                undocumented.push(format!("{answer:?}"));
            }
        }
        undocumented
    }

    /// The codes of all problems and final diagnostics.
    pub(crate) fn codes(&self) -> BTreeSet<&str> {
        let codes = self.0.iter().filter_map(|one| one.code.as_deref());
        codes.collect()
    }

    /// How streams end: the code of the final diagnostic, `-` without one, and the close code.
    pub(crate) fn ends(&self) -> BTreeSet<(&str, u64)> {
        let ends = self.0.iter().filter_map(|one| {
            let code = one.code.as_deref().unwrap_or("-");
            Some((code, one.close?))
        });
        ends.collect()
    }
}

fn names_requests(value: &Value) -> bool {
    value.get("request").is_some_and(Value::is_string) || value.get("requests").is_some()
}

/// Whether an answer is to a request for this route.
fn is_of(route: &DocumentedRoute, answer: &Answer) -> bool {
    let (method, target) = answer.request.split_once(' ').unwrap();
    let path = target.split('?').next().unwrap();
    let (template, path): (Vec<_>, Vec<_>) =
        (route.path.split('/').collect(), path.split('/').collect());
    method == route.method.as_str()
        && template.len() == path.len()
        && template.iter().zip(&path).all(|(expected, found)| {
            expected == found || (expected.starts_with('{') && !found.is_empty())
        })
}
