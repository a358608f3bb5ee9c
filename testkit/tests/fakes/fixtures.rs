//! The closed list: each text is read as its type, and nothing is missing or left over.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use yoi_protocol::{
    Code, Control, Delta, Effect, Event, Frame, Limits, Operation, Origin, RawFrame, StreamEnd,
    Subject,
};
use yoi_testkit::fixtures::{self, Fixture, bodies, frames, problems, unknown};

#[test]
fn each_is_read_as_its_type_and_written_back_the_same() {
    for fixture in fixtures::all().filter(|fixture| !fixture.is_unknown()) {
        let rewritten = fixture.rewritten();
        let rewritten = rewritten.unwrap_or_else(|error| panic!("{}: {error}", fixture.name()));
        assert_eq!(rewritten, fixture.json(), "{}", fixture.name());
    }
}

#[test]
fn bodies_drop_what_they_do_not_know_and_frames_keep_it() {
    for fixture in fixtures::all().filter(|fixture| fixture.is_unknown()) {
        let (name, json) = (fixture.name(), fixture.json());
        let rewritten = fixture
            .rewritten()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            fixture.text().contains("\"x_") || name.ends_with("diagnostic"),
            "{name}"
        );
        if json.get("kind").is_none() {
            assert_ne!(rewritten, json, "{name}");
            assert_eq!(rewritten, known(&json), "{name}");
            continue;
        }
        let raw = RawFrame::parse(fixture.text()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let passed_on: Value = serde_json::from_str(&raw.to_text()).expect("JSON");
        assert_eq!(passed_on, json, "{name}");
    }
    let Frame::Event(event) = unknown::event() else {
        panic!()
    };
    let Event::Unknown(event) = event.event else {
        panic!("{event:?}")
    };
    assert!(event.fields.contains_key("steps"), "{event:?}");
    let Frame::Delta(delta) = unknown::delta() else {
        panic!()
    };
    let Delta::Unknown(delta) = delta.delta else {
        panic!("{delta:?}")
    };
    assert!(delta.fields.contains_key("samples"), "{delta:?}");
    let Frame::Control(control) = unknown::control() else {
        panic!()
    };
    assert_eq!(control.control, Control::Unknown);
    for (unknown, plain) in [
        (unknown::event_fields(), frames::run_started()),
        (unknown::delta_fields(), frames::text()),
        (unknown::control_fields(), frames::caught_up()),
    ] {
        assert_eq!(unknown, plain);
    }
    assert!(serde_json::from_value::<Frame>(unknown::frame()).is_err());
}

/// The same without the fields that begin with `x_`.
fn known(json: &Value) -> Value {
    match json {
        Value::Object(fields) => {
            let known = fields.iter().filter(|(name, _)| !name.starts_with("x_"));
            let known = known.map(|(name, value)| (name.clone(), self::known(value)));
            Value::Object(known.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(known).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json.clone(),
    }
}

#[test]
fn every_file_has_an_entry() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files = BTreeSet::new();
    gather(&folder, &mut files);
    let files: BTreeSet<_> = files.iter().map(|file| name_of(&folder, file)).collect();
    let listed: BTreeSet<_> = fixtures::all().map(|each| each.name().to_owned()).collect();
    let odd: Vec<_> = files.symmetric_difference(&listed).collect();
    assert!(
        odd.is_empty(),
        "a file without an entry, or the reverse: {odd:?}"
    );
    assert_eq!(listed.len(), fixtures::all().count(), "one is listed twice");
}

fn gather(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of the fixtures") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, files);
        } else {
            files.insert(path);
        }
    }
}

fn name_of(folder: &Path, file: &Path) -> String {
    let name = file
        .strip_prefix(folder)
        .expect("below it")
        .to_str()
        .expect("ASCII");
    let name = name.strip_suffix(".json");
    name.unwrap_or_else(|| panic!("{} is not JSON", file.display()))
        .to_owned()
}

/// Each problem is to the letter what a server makes of the failure that it tells of.
#[test]
fn each_problem_is_what_its_code_makes_of_it() {
    for problem in problems::all() {
        let about = Subject {
            runtime_id: problem.runtime_id.clone(),
            worker_id: problem.worker_id.clone(),
            request_id: problem.request_id.clone(),
        };
        let operation = problem.effect.map(|_effect| Operation::Stop);
        let made = problem
            .clone()
            .into_failure()
            .into_problem(problem.origin, &about, operation);
        assert_eq!(problem, made);
    }
}

#[test]
fn every_code_has_a_problem_and_every_origin_its_own() {
    for code in Code::ALL {
        let problem = problems::all().find(|problem| problem.code == *code);
        assert!(problem.is_some(), "no fixture tells of {code}");
    }
    let link: BTreeSet<_> = problems::all()
        .filter(|problem| problem.origin == Origin::Link)
        .map(|problem| problem.code)
        .collect();
    let link_codes = BTreeSet::from([Code::RuntimeUnreachable, Code::RuntimeTimedOut]);
    assert_eq!(link, link_codes);
    for fixture in fixtures::all().filter(|each| each.name().starts_with("problems/")) {
        let json = fixture.json();
        let path = format!(
            "problems/{}/{}",
            json["origin"].as_str().expect("an origin"),
            json["code"].as_str().expect("a code"),
        );
        assert!(fixture.name().starts_with(&path), "{}", fixture.name());
    }
    for effect in [Effect::None, Effect::Unknown] {
        assert!(problems::all().any(|problem| problem.effect == Some(effect)));
    }
}

#[test]
fn every_type_of_frame_is_there() {
    let types = |payload: &str| -> BTreeSet<String> {
        let plain = fixtures::all().filter(|fixture| fixture.name().starts_with("frames/"));
        plain
            .filter_map(|fixture| type_of(fixture, payload))
            .collect()
    };
    let known = |types: &[&str]| types.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(types("event"), known(Event::TYPES));
    assert_eq!(types("delta"), known(Delta::TYPES));
    assert_eq!(
        types("control"),
        known(&["caught_up", "upstream_lost", "upstream_restored"])
    );
    for end in [
        StreamEnd::SlowConsumer,
        StreamEnd::Draining,
        StreamEnd::ObservationOnly,
    ] {
        let diagnostic = end.diagnostic(&Subject::default()).expect("it says why");
        for frame in [
            frames::end(&diagnostic.code),
            frames::backend_end(&diagnostic.code),
        ] {
            let Some(Frame::Diagnostic(frame)) = frame else {
                panic!("{diagnostic:?}")
            };
            assert_eq!(frame.diagnostic, diagnostic);
        }
    }
}

/// Each last frame is to the letter what a server makes of the end that it tells of.
#[test]
fn each_end_is_what_its_code_makes_of_it() {
    let about = Subject {
        runtime_id: Some(bodies::runtime().runtime_id),
        worker_id: Some(bodies::worker().worker_id),
        request_id: None,
    };
    let told: Vec<_> = problems::all()
        .map(|problem| {
            let mut failure = problem.into_failure();
            if let Some(operation) = &mut failure.details.operation {
                *operation = Operation::Events.as_str().to_owned();
                failure.details.errors.clear();
            }
            if failure.code == Code::LimitReached {
                failure.details.limit = Some("max_streams".to_owned());
            }
            StreamEnd::Failed(failure)
        })
        .chain([
            StreamEnd::SlowConsumer,
            StreamEnd::Draining,
            StreamEnd::ObservationOnly,
        ])
        .filter_map(|end| end.diagnostic(&about))
        .collect();
    for fixture in fixtures::all().filter(|each| each.name().contains("/diagnostics/")) {
        let frame = serde_json::from_str(fixture.text()).expect("read before");
        let Frame::Diagnostic(frame) = frame else {
            panic!("{}", fixture.name())
        };
        assert!(told.contains(&frame.diagnostic), "{frame:?}");
        assert!(
            fixture
                .name()
                .ends_with(&format!("/{}", frame.diagnostic.code))
        );
    }
}

fn type_of(fixture: &Fixture, payload: &str) -> Option<String> {
    let json = fixture.json();
    let name = json.get(payload)?.get("type")?.as_str()?;
    Some(name.to_owned())
}

#[test]
fn the_limits_are_those_of_a_runtime_that_was_told_none() {
    assert_eq!(bodies::runtime().limits, Limits::default());
}

#[test]
#[should_panic(expected = "there is no fixture \"worker\"; close to it: [\"answers/worker\"")]
fn a_fixture_that_is_not_there_names_those_that_are_close() {
    let _ = fixtures::get("worker");
}
