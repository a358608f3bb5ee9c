//! Asking byte by byte: every header is the check's own.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Method, Uri};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use yoi_client::transport::{Request, Response, Transport, TransportFault, Upgrade};
use yoi_protocol::{Capability, Operation, WorkerId, path};

use super::reply::Reply;
use super::socket::WebSocket;
use crate::bench::Bench;
use crate::heard::{Heard, Rule};
use crate::unmet::{Unmet, Verdict, broken, late, same, skipped};

/// The most that is read of one answer, in bytes.
const LARGEST: usize = 64 << 20;
/// The handshake of RFC 6455's own example.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A Runtime's wire on the bench.
///
/// Made by [`check`](crate::check()); its checks are [`checks`](super::checks()).
pub struct Wire {
    bench: Bench,
    transport: Arc<dyn Transport>,
    /// Scheme, authority and prefix, without a slash at the end.
    base: String,
    token: Option<String>,
    heard: Arc<Heard>,
}

impl Wire {
    pub(crate) fn new(
        bench: Bench,
        transport: Arc<dyn Transport>,
        base: &str,
        token: Option<String>,
        heard: Arc<Heard>,
    ) -> Self {
        Self {
            bench,
            transport,
            base: base.trim_end_matches('/').to_owned(),
            token,
            heard,
        }
    }

    /// Reads until then which limits the Runtime publishes: it is held to no others.
    pub(crate) async fn reading_limits(mut self, until: Instant) -> Self {
        let asked = timeout_at(until, self.get(path::runtime::RUNTIME).send()).await;
        if let Ok(Ok(info)) = asked.map(|info| info.and_then(|reply| reply.value(200))) {
            let limits = info["limits"].as_object().into_iter().flatten();
            let given = limits.filter(|(_, value)| !value.is_null());
            self.bench
                .publishes(given.map(|(name, _)| name.clone()).collect());
        }
        self
    }

    /// The bench that it is on.
    #[must_use]
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    pub(super) fn needs_sse(&self) -> Result<(), Unmet> {
        if self.bench.can(&Capability::EVENTS_SSE) {
            return Ok(());
        }
        Err(skipped("the runtime does not list events.sse"))
    }

    pub(super) fn needs_websocket(&self) -> Result<(), Unmet> {
        if self.bench.can(&Capability::EVENTS_WS) {
            return Ok(());
        }
        Err(skipped("the runtime does not list events.ws"))
    }

    /// Holds every answer until now to a rule.
    pub(super) fn keeps(&self, rule: Rule) -> Verdict {
        self.heard.keeps(rule)
    }

    /// Skips a check that asks for what the Runtime does not list.
    pub(super) fn needs(&self, method: &Method, path: &str) -> Result<(), Unmet> {
        match operation(method, path) {
            Some(operation) if !self.bench.lists(operation) => {
                Err(skipped(format!("the runtime does not list {operation}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn ask(&self, method: Method, path: impl Into<String>) -> Ask<'_> {
        let mut ask = Ask {
            wire: self,
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: None,
        };
        if let Some(token) = &self.token {
            ask = ask.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"));
        }
        ask
    }

    pub(super) fn get(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    /// A POST of a JSON text.
    pub(super) fn post(&self, path: impl Into<String>, body: impl Into<Bytes>) -> Ask<'_> {
        self.ask(Method::POST, path)
            .header(CONTENT_TYPE.as_str(), "application/json")
            .body(body)
    }

    /// An idle Worker, and its path.
    pub(super) async fn idle(&self) -> Result<(WorkerId, String), Unmet> {
        let worker_id = self.bench.idle().await?;
        let path = format!("/v1/workers/{worker_id}");
        Ok((worker_id, path))
    }
}

/// One request on its way to be sent.
#[must_use = "nothing happens until it is sent"]
pub(super) struct Ask<'a> {
    wire: &'a Wire,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Bytes>,
}

impl Ask<'_> {
    /// With this header, in place of one of that name.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a check's own header");
        let mut value = HeaderValue::from_str(value).expect("a check's own header");
        value.set_sensitive(name == AUTHORIZATION);
        self.headers.insert(name, value);
        self
    }

    /// Without a credential.
    pub(super) fn unauthorized(mut self) -> Self {
        self.headers.remove(AUTHORIZATION);
        self
    }

    pub(super) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    fn request(&self) -> Result<Request, Unmet> {
        self.wire.needs(&self.method, &self.path)?;
        let uri: Uri = format!("{}{}", self.wire.base, self.path)
            .parse()
            .map_err(|_| broken(format!("{} cannot be asked for", self.path)))?;
        Ok(Request {
            method: self.method.clone(),
            uri,
            headers: self.headers.clone(),
            body: self.body.clone(),
            head_by: Instant::now() + self.wire.bench.wait(),
        })
    }

    fn asked(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Sends it, and reads the whole answer.
    pub(super) async fn send(self) -> Result<Reply, Unmet> {
        let sent = self.wire.transport.send(self.request()?).await;
        let response = sent.map_err(|fault| self.fault(fault))?;
        self.read(response).await
    }

    async fn read(&self, mut response: Response) -> Result<Reply, Unmet> {
        let mut body = BytesMut::new();
        let patience = self.wire.bench.wait();
        let whole_by = Instant::now() + patience;
        loop {
            let piece = timeout_at(whole_by, response.body.next()).await;
            let piece = piece
                .map_err(|_| late(format!("{}: not whole within {patience:?}", self.asked())))?;
            match piece {
                None => break,
                Some(Ok(piece)) => body.extend_from_slice(&piece),
                Some(Err(fault)) => return Err(self.fault(fault)),
            }
            if body.len() > LARGEST {
                return Err(broken(format!("{}: over {LARGEST} bytes", self.asked())));
            }
        }
        let reply = Reply {
            asked: self.asked(),
            status: response.status.as_u16(),
            headers: response.headers,
            body: body.freeze(),
        };
        self.own(&reply);
        Ok(reply)
    }

    /// Remembers a Worker that was created, also by what should have been refused.
    fn own(&self, reply: &Reply) {
        let path = self.path.split('?').next();
        let is_create = self.method == Method::POST && path == Some(path::runtime::WORKERS);
        if is_create && reply.status == 201 {
            let made: Option<Value> = serde_json::from_slice(&reply.body).ok();
            let id = made.and_then(|made| WorkerId::parse(made["worker_id"].as_str()?).ok());
            if let Some(id) = id {
                self.wire.bench.own(&id);
            }
        }
    }

    fn fault(&self, fault: TransportFault) -> Unmet {
        let detail = format!("{}: {fault}", self.asked());
        match fault {
            TransportFault::ConnectTimedOut | TransportFault::HeadTimedOut => late(detail),
            TransportFault::Dns
            | TransportFault::Refused
            | TransportFault::Tls
            | TransportFault::Reset
            | TransportFault::NotHttp => broken(detail),
        }
    }

    /// Sends it as a request for a WebSocket.
    pub(super) async fn upgrade(self) -> Result<WebSocket, Unmet> {
        let ask = self.handshake();
        let upgraded = ask.wire.transport.upgrade(ask.request()?).await;
        match upgraded.map_err(|fault| ask.fault(fault))? {
            Upgrade::Opened { headers, socket } => {
                let accept = headers.get(SEC_WEBSOCKET_ACCEPT);
                let accept = accept.and_then(|value| value.to_str().ok());
                same("sec-websocket-accept", accept, Some(ACCEPT))?;
                Ok(WebSocket::new(socket, ask.wire.bench.wait()))
            }
            Upgrade::Refused(response) => {
                let reply = ask.read(response).await?;
                Err(broken(format!(
                    "{}: an upgrade was answered with {}",
                    reply.asked, reply.status
                )))
            }
        }
    }

    /// Sends it as a request for a WebSocket that must be refused, and reads the answer.
    pub(super) async fn refused_upgrade(self) -> Result<Reply, Unmet> {
        let ask = self.handshake();
        let upgraded = ask.wire.transport.upgrade(ask.request()?).await;
        match upgraded.map_err(|fault| ask.fault(fault))? {
            Upgrade::Refused(response) => ask.read(response).await,
            Upgrade::Opened { .. } => Err(broken(format!(
                "{}: upgraded, and must be refused before that",
                ask.asked()
            ))),
        }
    }

    fn handshake(self) -> Self {
        self.header(CONNECTION.as_str(), "Upgrade")
            .header(UPGRADE.as_str(), "websocket")
            .header(SEC_WEBSOCKET_VERSION.as_str(), "13")
            .header(SEC_WEBSOCKET_KEY.as_str(), KEY)
    }
}

/// The operation that a request is, if it is one.
fn operation(method: &Method, path: &str) -> Option<Operation> {
    let path = path
        .split('?')
        .next()?
        .strip_prefix(path::runtime::WORKERS)?;
    let steps: Vec<&str> = path.split('/').skip(1).collect();
    let is_read = *method == Method::GET;
    let is_command = *method == Method::POST;
    match steps.as_slice() {
        [] if is_read => Some(Operation::ListWorkers),
        [] if is_command => Some(Operation::CreateWorker),
        [_] if is_read => Some(Operation::GetWorker),
        [_, "input"] if is_command => Some(Operation::SendInput),
        [_, "cancel"] if is_command => Some(Operation::Cancel),
        [_, "stop"] if is_command => Some(Operation::Stop),
        [_, "transcript"] if is_read => Some(Operation::Transcript),
        [_, "events", ..] if is_read => Some(Operation::Events),
        _ => None,
    }
}

impl AsRef<Bench> for Wire {
    fn as_ref(&self) -> &Bench {
        &self.bench
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("bench", &self.bench)
            .finish_non_exhaustive()
    }
}
