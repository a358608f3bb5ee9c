//! The routes of a server that exists only here, and the edge round them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use utoipa::ToSchema;
use yoi_http_kit::{
    About, ApiJson, ApiQuery, Browsers, Caller, EdgeSettings, Key, OptionalJson, OriginGuard,
    Rejection, RouteDoc, RouteTable, SourceNames, TokenSet, WorkerPath, edge, health, reply,
};
use yoi_protocol::{BootId, Code, Effect, Failure, Operation, Origin, Problem, RuntimeId};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Note {
    pub(crate) text: String,
    pub(crate) tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mood: Option<Mood>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mood {
    Fine,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Tag {
    pub(crate) name: String,
    #[serde(rename = "a/b")]
    pub(crate) odd: Option<u8>,
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    limit: Option<u64>,
}

/// What a test holds in its hand.
#[derive(Clone, Default)]
pub(crate) struct Place {
    /// Lets `/hold` answer.
    pub(crate) release: Arc<Notify>,
    /// Told when `/hold` was entered.
    pub(crate) entered: Arc<Notify>,
}

impl Place {
    pub(crate) fn routes(&self) -> Router {
        let place = self.clone();
        Router::new()
            .route("/notes/{worker_id}", get(show).post(write))
            .route("/notes/{worker_id}/clear", post(clear))
            .route("/caller", get(caller))
            .route("/page", get(page))
            .route(
                "/panic",
                post(async || -> StatusCode { panic!("out of paper") }),
            )
            .route("/fail", post(async || -> Rejection { busy() }))
            .route("/teapot", get(async || StatusCode::IM_A_TEAPOT))
            .route(
                "/hold",
                get(move || async move {
                    place.entered.notify_one();
                    place.release.notified().await;
                    "held"
                }),
            )
            .merge(health::routes(
                Arc::new(|| false),
                Arc::new(|| "# none\n".to_owned()),
            ))
    }
}

fn busy() -> Rejection {
    let failure = Failure::limit("notes")
        .with_retry_after_ms(1_500)
        .with_effect(Effect::Unknown);
    failure.into()
}

async fn show(WorkerPath(id): WorkerPath, About(about): About) -> axum::response::Response {
    assert_eq!(about.worker_id, Some(id.clone()));
    reply(StatusCode::OK, &serde_json::json!({ "id": id }))
}

async fn write(ApiJson(note): ApiJson<Note>) -> axum::response::Response {
    reply(StatusCode::CREATED, &note)
}

async fn clear(OptionalJson(note): OptionalJson<Note>) -> axum::response::Response {
    reply(StatusCode::OK, &note)
}

async fn caller(caller: Caller, Key(key): Key) -> axum::response::Response {
    let left = caller.deadline.0.map(|at| {
        at.saturating_duration_since(tokio::time::Instant::now())
            .as_millis()
    });
    reply(
        StatusCode::OK,
        &serde_json::json!({
            "principal": caller.principal.as_str(),
            "request_id": caller.request_id,
            "traceparent": caller.traceparent.0,
            "left_ms": left.map(|ms| u64::try_from(ms).unwrap()),
            "key": key,
        }),
    )
}

async fn page(ApiQuery(page): ApiQuery<Page>) -> axum::response::Response {
    reply(StatusCode::OK, &page.limit)
}

pub(crate) fn table() -> RouteTable {
    RouteTable::new(vec![
        RouteDoc::get("/notes/{worker_id}", "showNote", "Shows a note")
            .operation(Operation::GetWorker)
            .answers::<Note>(StatusCode::OK, "The note")
            .codes(&[Code::WorkerNotFound]),
        RouteDoc::post("/notes/{worker_id}", "writeNote", "Writes a note")
            .operation(Operation::CreateWorker)
            .body::<Note>()
            .answers::<Note>(StatusCode::CREATED, "The note"),
        RouteDoc::post("/panic", "panic", "Panics").operation(Operation::Stop),
        RouteDoc::post("/fail", "fail", "Fails").operation(Operation::Stop),
    ])
}

/// The edge of a Runtime called `rt-1` without tokens.
pub(crate) fn settings() -> EdgeSettings {
    let bind = "192.0.2.7:7401".parse().unwrap();
    EdgeSettings {
        me: Origin::Runtime,
        source: Some(SourceNames {
            runtime_id: RuntimeId::parse("rt-1").unwrap(),
            boot_id: BootId::parse("boot-1").unwrap(),
        }),
        guard: OriginGuard::new(bind, &[], &Browsers::Forbidden).unwrap(),
        tokens: TokenSet::open(),
        max_requests: 16,
        max_body_bytes: 1024,
        body_timeout: Duration::from_secs(5),
        routes: table(),
    }
}

/// The routes with that edge, after `change`.
pub(crate) fn edged(change: impl FnOnce(&mut EdgeSettings)) -> Router {
    let mut settings = settings();
    change(&mut settings);
    edge(Place::default().routes(), settings)
}

/// The problem that a text is.
pub(crate) fn problem_of(text: &str) -> Problem {
    serde_json::from_str(text).unwrap()
}
