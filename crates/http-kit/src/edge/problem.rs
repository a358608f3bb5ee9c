//! Gives every answer its names, and every failure its words.

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use http::header::{
    CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE,
};
use http::{Method, StatusCode};
use yoi_protocol::{
    Code, Effect, Failure, Operation, Problem, RequestId, RuntimeId, Subject, WorkerId, header,
};

use super::settings::{EdgeSettings, SourceNames};
use crate::Rejection;
use crate::extract::{About, TraceParent};
use crate::rejection::status_of;

/// What a request asks for, as far as method and path tell.
pub(super) struct Asked {
    pub(super) method: Method,
    /// The template that took the request; `None` when no route does.
    pub(super) route: Option<MatchedPath>,
    pub(super) operation: Option<Operation>,
    pub(super) request_id: RequestId,
    pub(super) trace: TraceParent,
    subject: Subject,
}

impl Asked {
    pub(super) async fn of(
        request: Request,
        request_id: RequestId,
        settings: &EdgeSettings,
    ) -> (Request, Self) {
        let (mut parts, body) = request.into_parts();
        let route = parts.extensions.get::<MatchedPath>().cloned();
        let operation = route
            .as_ref()
            .and_then(|route| settings.routes.operation(&parts.method, route.as_str()));
        let mut subject = Subject {
            runtime_id: settings
                .source
                .as_ref()
                .map(|source| source.runtime_id.clone()),
            worker_id: None,
            request_id: Some(request_id.clone()),
        };
        if let Ok(params) = RawPathParams::from_request_parts(&mut parts, &()).await {
            for (name, value) in &params {
                match name {
                    "runtime_id" => subject.runtime_id = RuntimeId::parse(value).ok(),
                    "worker_id" => subject.worker_id = WorkerId::parse(value).ok(),
                    _ => {}
                }
            }
        }
        let asked = Self {
            method: parts.method.clone(),
            route,
            operation,
            request_id,
            trace: TraceParent::of(&parts.headers),
            subject,
        };
        (Request::from_parts(parts, body), asked)
    }

    pub(super) fn about(&self) -> About {
        About(self.subject.clone())
    }
}

/// The answer as it leaves: problems in the house form, and the names on all.
pub(super) fn finish(
    outcome: Result<Response, Rejection>,
    asked: &Asked,
    settings: &EdgeSettings,
) -> Response {
    let mut response = outcome.unwrap_or_else(IntoResponse::into_response);
    let rejection = response.extensions_mut().remove::<Rejection>();
    let status = response.status();
    if let Some(rejection) = rejection.or_else(|| bare_failure(&response)) {
        response = render(rejection, asked, settings);
    } else if status.is_client_error() || status.is_server_error() {
        tracing::error!(%status, "a handler answered with a status that no code has");
        let failure = Failure::new(Code::Internal).with_effect(Effect::Unknown);
        response = render(failure.into(), asked, settings);
    }
    name(&mut response, &asked.request_id, settings.source.as_ref());
    response
}

/// What a failed answer that did not go through a [`Rejection`] means: axum's own.
fn bare_failure(response: &Response) -> Option<Rejection> {
    let is_problem = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == Problem::CONTENT_TYPE);
    let code = match response.status() {
        _ if is_problem => return None,
        StatusCode::BAD_REQUEST => Code::InvalidRequest,
        StatusCode::NOT_FOUND => Code::RouteNotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::UPGRADE_REQUIRED => Code::UpgradeRequired,
        _ => return None,
    };
    Some(Rejection::code(code))
}

fn render(rejection: Rejection, asked: &Asked, settings: &EdgeSettings) -> Response {
    let Rejection { failure, worker_id } = rejection;
    let mut subject = asked.subject.clone();
    subject.worker_id = worker_id.or(subject.worker_id);
    let code = failure.code;
    let retry_after_ms = failure.details.retry_after_ms;
    let problem = failure.into_problem(settings.me, &subject, asked.operation);
    let (body, status) = match serde_json::to_vec(&problem) {
        Ok(body) => (body, status_of(code)),
        Err(_) => (Vec::new(), StatusCode::INTERNAL_SERVER_ERROR),
    };
    tracing::debug!(code = code.as_str(), "answered with a problem");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(Problem::CONTENT_TYPE),
    );
    if let Some(ms) = retry_after_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000)));
    }
    if code == Code::Unauthorized {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if code == Code::UpgradeRequired {
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    response
}

/// Who answers which request.
fn name(response: &mut Response, request_id: &RequestId, source: Option<&SourceNames>) {
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    };
    put(header::REQUEST_ID, request_id.as_str());
    if let Some(source) = source {
        put(header::RUNTIME_ID, source.runtime_id.as_str());
        put(header::BOOT_ID, source.boot_id.as_str());
    }
}
