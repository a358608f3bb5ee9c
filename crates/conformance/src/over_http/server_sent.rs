//! Observation over server-sent events, for a Runtime that has no WebSockets.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use http::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Uri};
use serde_json::Value;
use tokio::time::{Instant, timeout};
use yoi_client::Transport;
use yoi_client::transport::{Request, Response, TransportFault};
use yoi_protocol::{
    Code, Cursor, Effect, Failure, FrameDiagnostic, Origin, Phase, Problem, RawFrame, Reason,
    StreamEnd, WorkerId,
};

use crate::sse::Reader;
use crate::subject::Frames;

/// How a Runtime's server-sent events are asked for.
#[derive(Clone)]
pub(crate) struct ServerSent {
    pub(crate) transport: Arc<dyn Transport>,
    /// Scheme, authority and prefix, without a slash at the end.
    pub(crate) base: String,
    pub(crate) token: Option<String>,
    pub(crate) patience: Duration,
}

impl ServerSent {
    pub(crate) async fn open(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
    ) -> Result<Box<dyn Frames>, Failure> {
        let response = self.transport.send(self.request(worker_id, cursor)?).await;
        let response = response.map_err(told)?;
        match response.status {
            StatusCode::OK => Ok(Box::new(Sent::new(Some(response)))),
            // Nothing can follow this cursor.
            StatusCode::NO_CONTENT => Ok(Box::new(Sent::new(None))),
            _ => Err(self.refusal(response).await),
        }
    }

    fn request(&self, worker_id: &WorkerId, cursor: Option<&Cursor>) -> Result<Request, Failure> {
        let query = cursor.map(|cursor| format!("?cursor={cursor}"));
        let query = query.unwrap_or_default();
        let uri: Result<Uri, _> =
            format!("{}/v1/workers/{worker_id}/events{query}", self.base).parse();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(token) = &self.token
            && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {token}"))
        {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(Request {
            method: Method::GET,
            uri: uri.map_err(|_| garbled())?,
            headers,
            body: None,
            head_by: Instant::now() + self.patience,
        })
    }

    async fn refusal(&self, mut response: Response) -> Failure {
        let mut body = Vec::new();
        let whole = async {
            while let Some(piece) = response.body.next().await {
                body.extend_from_slice(&piece?);
            }
            Ok(())
        };
        match timeout(self.patience, whole).await {
            Ok(Ok(())) => match serde_json::from_slice::<Problem>(&body) {
                Ok(problem) => problem.into_failure(),
                Err(_) => garbled(),
            },
            Ok(Err(fault)) => told(fault),
            Err(_elapsed) => Failure::new(Code::RuntimeTimedOut).with_phase(Phase::Body),
        }
    }
}

fn garbled() -> Failure {
    Failure::new(Code::RuntimeProtocolError)
}

/// What a fault of the way is in the contract's words. An observation changes nothing.
fn told(fault: TransportFault) -> Failure {
    let unreachable = |reason| Failure::new(Code::RuntimeUnreachable).with_reason(reason);
    let late = |phase| Failure::new(Code::RuntimeTimedOut).with_phase(phase);
    let failure = match fault {
        TransportFault::Dns => unreachable(Reason::Dns),
        TransportFault::Refused => unreachable(Reason::Refused),
        TransportFault::Tls => unreachable(Reason::Tls),
        TransportFault::Reset => unreachable(Reason::Reset),
        TransportFault::ConnectTimedOut => late(Phase::Connect),
        TransportFault::HeadTimedOut => late(Phase::Response),
        TransportFault::NotHttp => garbled(),
    };
    failure.by(Origin::Link).with_effect(Effect::None)
}

/// One stream of events.
struct Sent {
    response: Option<Response>,
    reader: Reader,
    /// How it ends, once that is told.
    end: Option<StreamEnd>,
}

impl Sent {
    fn new(response: Option<Response>) -> Self {
        Self {
            end: response.is_none().then_some(StreamEnd::Complete),
            response,
            reader: Reader::default(),
        }
    }

    /// What a frame says of the end of its stream.
    fn hear(&mut self, frame: &RawFrame) {
        let event: Option<Value> = frame.read("event");
        let event = event.unwrap_or_default();
        // A stopped Worker has no other end than that of its snapshot.
        if event["type"] == "worker_stopped" || event["worker"]["status"] == "stopped" {
            self.end = Some(StreamEnd::Complete);
        }
        if let Some(told) = frame.read::<FrameDiagnostic>("diagnostic")
            && frame.kind().as_deref() == Some("diagnostic")
        {
            self.end = Some(match &*told.code {
                "slow_consumer" => StreamEnd::SlowConsumer,
                "draining" => StreamEnd::Draining,
                code => {
                    let known = Code::ALL.iter().find(|known| known.as_str() == code);
                    StreamEnd::Failed(known.map_or_else(garbled, |code| Failure::new(*code)))
                }
            });
        }
    }
}

#[async_trait]
impl Frames for Sent {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        loop {
            let sent = self.reader.next();
            if let Some(sent) = sent.map_err(|_| StreamEnd::Failed(garbled()))? {
                let frame = RawFrame::parse(&sent.data);
                let frame = frame.map_err(|_| StreamEnd::Failed(garbled()))?;
                self.hear(&frame);
                return Ok(frame);
            }
            let piece = match &mut self.response {
                Some(response) => response.body.next().await,
                None => None,
            };
            match piece {
                Some(Ok(piece)) => self.reader.push(&piece),
                Some(Err(fault)) => return Err(StreamEnd::Failed(told(fault))),
                None => {
                    let cut = || StreamEnd::Failed(told(TransportFault::Reset));
                    return Err(self.end.clone().unwrap_or_else(cut));
                }
            }
        }
    }
}
