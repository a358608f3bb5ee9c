//! Answers of a Runtime that are none, or not what they say.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use fastrand::Rng;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};
use yoi_client::RetryPolicy;
use yoi_client::transport::{Request, Response, Transport, TransportFault, Upgrade};
use yoi_config::{Secret, SecretSource};
use yoi_protocol::{Code, Effect, Origin, Problem};
use yoi_testkit::{Fuzz, fixtures};
use yoi_workspace_server::{CircuitSettings, Registration, RemoteSettings};

use super::spoil;
use crate::support::{Reply, Served, id};

/// How many cases there are where no time is given.
const CASES: u64 = 1000;

const ADDRESS: &str = "https://canary-host.example";
const HOST: &str = "canary-host.example";
const TOKEN: &str = "canary-token";

/// What comes back next, whatever is asked.
#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    /// Whether the connection ends before the answer does.
    is_cut: bool,
}

/// A link at whose end somebody says anything.
#[derive(Clone)]
struct Anything(Arc<Mutex<Answer>>);

impl Anything {
    fn next(&self) -> std::sync::MutexGuard<'_, Answer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(&self) -> Response {
        let answer = self.next().clone();
        let mut pieces: Vec<Result<Bytes, TransportFault>> = answer
            .body
            .chunks(100)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        if answer.is_cut {
            pieces.push(Err(TransportFault::Reset));
        }
        Response {
            status: answer.status,
            headers: answer.headers,
            body: stream::iter(pieces).boxed(),
        }
    }
}

#[async_trait]
impl Transport for Anything {
    async fn send(&self, _: Request) -> Result<Response, TransportFault> {
        Ok(self.respond())
    }

    async fn upgrade(&self, _: Request) -> Result<Upgrade, TransportFault> {
        Ok(Upgrade::Refused(self.respond()))
    }
}

const STATUSES: [u16; 24] = [
    200, 201, 202, 204, 206, 301, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 421, 422, 429,
    500, 501, 502, 503, 504,
];

/// Texts of a Runtime may name what nobody may read.
fn telling(rng: &mut Rng, value: &mut Value) {
    match value {
        Value::String(text) if rng.u8(..3) == 0 => {
            *text = format!("{text} at {ADDRESS} with {TOKEN}");
        }
        Value::Array(items) => items.iter_mut().for_each(|item| telling(rng, item)),
        Value::Object(fields) => fields.values_mut().for_each(|field| telling(rng, field)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What is asked, and what comes back.
fn answer(rng: &mut Rng) -> (Asked, Answer) {
    let kind = ["answers/", "problems/runtime/", ""][rng.usize(..3)];
    let all: Vec<_> = fixtures::all()
        .filter(|fixture| fixture.name().starts_with(kind))
        .collect();
    let fixture = all[rng.usize(..all.len())];
    let mut body = fixture.json();
    // What a Worker says passes untouched, so only problems are made to tell.
    if fixture.name().contains("problems/") {
        telling(rng, &mut body);
    }
    let mut asked = rng.choice(ASKED).unwrap_or(ASKED[0]);
    let own_status = body["status"].as_u64();
    let mut status = own_status.and_then(|it| u16::try_from(it).ok());
    if status.is_none()
        && rng.bool()
        && let Some((fitting, success)) = fits(fixture.name())
    {
        asked = fitting;
        status = Some(success);
    }
    if status.is_none() || rng.u8(..4) == 0 {
        status = rng.choice(STATUSES);
    }
    let mut text = body.to_string();
    if rng.bool() {
        text = spoil::json(rng, &text);
    }
    let mut headers = HeaderMap::new();
    let mut said = |rng: &mut Rng, name: &'static str, values: &[&'static str]| {
        if rng.u8(..8) > 0 {
            let value = values[rng.usize(..values.len())];
            headers.append(name, HeaderValue::from_static(value));
        }
    };
    let runtime_ids = ["gpu-1", "gpu-1", "gpu-1", "gpu-1", "gpu-2", "-", ""];
    said(rng, "yoi-runtime-id", &runtime_ids);
    said(rng, "yoi-boot-id", &["boot", ADDRESS, ""]);
    let types = [
        "application/json",
        "application/problem+json",
        "text/html",
        "",
    ];
    said(rng, "content-type", &types);
    said(
        rng,
        "retry-after",
        &["1", "-1", "99999999999999999999", "soon"],
    );
    said(rng, "location", &[ADDRESS, "//canary-host.example/"]);
    said(rng, "x-request-id", &[TOKEN]);
    let answer = Answer {
        status: StatusCode::from_u16(status.unwrap_or(200)).unwrap_or(StatusCode::OK),
        headers,
        body: text.into_bytes(),
        is_cut: rng.u8(..10) == 0,
    };
    (asked, answer)
}

/// What an answer is the success of, and its status.
fn fits(name: &str) -> Option<(Asked, u16)> {
    let name = name.strip_prefix("answers/")?;
    let (asked, status) = match name.split('_').next()? {
        "workers" => (1, 200),
        "worker" => (2, 200),
        "transcript" => (3, 200),
        "input" => (5, 202),
        "cancelled" => (6, 200),
        "stopped" => (7, 200),
        _ => return None,
    };
    Some((ASKED[asked], status))
}

/// The method and the path of an operation, and whether it is a command.
type Asked = (&'static str, &'static str, bool);

const ASKED: [Asked; 8] = [
    ("GET", "/api/workers", false),
    ("GET", "/api/runtimes/gpu-1/workers", false),
    ("GET", "/api/runtimes/gpu-1/workers/w-1", false),
    ("GET", "/api/runtimes/gpu-1/workers/w-1/transcript", false),
    ("POST", "/api/runtimes/gpu-1/workers", true),
    ("POST", "/api/runtimes/gpu-1/workers/w-1/input", true),
    ("POST", "/api/runtimes/gpu-1/workers/w-1/cancel", true),
    ("POST", "/api/runtimes/gpu-1/workers/w-1/stop", true),
];

/// What contradicts the contract, whatever came back.
fn wrong(reply: &Reply, answer: &Answer, is_command: bool) -> Option<String> {
    let whole = format!("{:?} {}", reply.headers, reply.text);
    if [HOST, TOKEN].iter().any(|secret| whole.contains(secret)) {
        return Some("shows where the runtime is, or what opens it".to_owned());
    }
    if reply.status < 300 {
        let is_theirs = answer.headers.get("yoi-runtime-id") == Some(&"gpu-1".parse().ok()?);
        let is_told = reply.body["incomplete"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        let is_well = is_told || answer.status.is_success() && is_theirs && !answer.is_cut;
        // Of many Runtimes it is said beside the list which are missing.
        return (!is_well).then(|| "made a success of it".to_owned());
    }
    let problem: Problem = match serde_json::from_str(&reply.text) {
        Ok(problem) => problem,
        Err(error) => return Some(format!("is no problem: {error}")),
    };
    if problem.status != reply.status || problem.code.status() != reply.status {
        return Some("has another status than its code".to_owned());
    }
    if problem.origin == Origin::Backend || problem.code == Code::Internal {
        return Some("is said to be a fault of the backend".to_owned());
    }
    if problem.effect.is_some() != is_command {
        return Some("tells an effect, or none".to_owned());
    }
    // Where the credential is refused that is all there is to say.
    let is_refused = [401, 403].contains(&answer.status.as_u16());
    let is_open = answer.status.is_success() || answer.status.is_redirection() || answer.is_cut;
    let may_have = is_open && !is_refused;
    if may_have && is_command && problem.effect != Some(Effect::Unknown) {
        return Some("says that nothing was done, which nobody knows".to_owned());
    }
    let is_long = problem.detail.len() > 2000 || problem.detail.contains(char::is_control);
    is_long.then(|| "says more than a line".to_owned())
}

#[tokio::test]
async fn answers_that_are_none_are_told_as_what_they_are() {
    let anything = Anything(Arc::new(Mutex::new(Answer {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Vec::new(),
        is_cut: false,
    })));
    let mut settings = RemoteSettings::new(ADDRESS);
    settings.retry = RetryPolicy::NEVER;
    settings.circuit = CircuitSettings::NEVER;
    settings.token = Some(Arc::new(SecretSource::fixed(Secret::new(TOKEN))));
    settings.transport = Some(Arc::new(anything.clone()));
    let registration = Registration::remote(id("gpu-1"), &settings).unwrap();
    let served = Served::over(registration).await;
    let (mut well, mut coded) = (0_u64, 0_u64);
    let cases = Fuzz::cases(CASES)
        .run(async |seed| {
            let mut rng = Rng::with_seed(seed);
            let ((method, path, is_command), answer) = answer(&mut rng);
            *anything.next() = answer.clone();
            let body = match path.rsplit('/').next() {
                Some("input") => Some(json!({"content": "go"})),
                Some("workers") if is_command => Some(json!({"worker_id": "w-1"})),
                _ => None,
            };
            let reply = served.ask(method, path, &[], body.as_ref()).await;
            well += u64::from(reply.status < 300 && path != "/api/workers");
            coded += u64::from(reply.body["origin"] == "runtime" && reply.status < 500);
            match wrong(&reply, &answer, is_command) {
                None => Ok(()),
                Some(wrong) => Err(format!("{method} {path} {wrong}: {reply:?}\nof {answer:?}")),
            }
        })
        .await;
    println!("answers: {cases} cases, {well} were well, {coded} were refusals");
    assert!(
        well * 200 > cases && coded * 200 > cases,
        "hardly anything was tried"
    );
}
