//! A Runtime in a process of its own: its wire, through `yoi-client`.

mod bulkhead;
mod circuit;
mod link;
mod settings;
mod token;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use yoi_client::{Answer, Call, CallError, Client, Credential, FrameStream, Perspective, Workers};
use yoi_protocol::{
    Api, CancelRequest, Cancelled, CircuitView, CreateWorker, Cursor, Effect, Failure,
    InputAccepted, InputRequest, ListQuery, RawFrame, RuntimeId, RuntimeInfo, StopRequest, Stopped,
    StreamEnd, Transcript, TranscriptQuery, Worker, WorkerId, WorkerPage,
};

use super::{Applied, CallContext, RuntimeHandle, Upstream, protocol_error};
use crate::scrub::Scrubber;
pub use bulkhead::BulkheadSettings;
pub use circuit::CircuitSettings;
use link::Link;
pub use settings::{RemoteError, RemoteSettings};
use token::Token;

/// A Runtime in a process of its own.
#[derive(Clone)]
pub struct Remote {
    runtime_id: RuntimeId,
    client: Client,
    workers: Workers,
    link: Arc<Link>,
    scrub: Scrubber,
}

impl Remote {
    /// A handle to the Runtime `runtime_id`. Nothing is sent, nothing is resolved.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn new(runtime_id: RuntimeId, settings: &RemoteSettings) -> Result<Self, RemoteError> {
        let mut builder = Client::builder(&settings.base_url)?
            .addressee(runtime_id.clone())
            .perspective(Perspective::Link)
            .timeouts(settings.timeouts)
            .retry(settings.retry)
            .idle(settings.idle);
        if let Some(transport) = &settings.transport {
            builder = builder.transport(Arc::clone(transport));
        }
        if !settings.is_private() {
            return Err(RemoteError::PlainHttp);
        }
        // A host of the same name as the Runtime is no secret: that name is everywhere.
        let mut fixed = Scrubber::address(&settings.base_url);
        fixed.retain(|needle| needle != runtime_id.as_str());
        let mut scrub = Scrubber::of(fixed.clone());
        if let Some(source) = &settings.token {
            let credential = Arc::new(Token::new(Arc::clone(source)));
            builder = builder.credential(Arc::clone(&credential) as Arc<dyn Credential>);
            scrub = Scrubber::new(fixed, Arc::new(move || credential.seen()));
        }
        let client = builder.build()?;
        Ok(Self {
            workers: client.workers(Api::Runtime),
            link: Arc::new(Link::new(
                runtime_id.clone(),
                settings.circuit,
                settings.bulkhead,
                settings.timeouts,
            )),
            runtime_id,
            client,
            scrub,
        })
    }

    /// Hides this Runtime's address and credential.
    pub(crate) fn scrubber(&self) -> Scrubber {
        self.scrub.clone()
    }

    /// Holds what came back to the address that was asked.
    fn check(
        &self,
        runtime_id: &RuntimeId,
        ids: Option<(&WorkerId, &WorkerId)>,
    ) -> Result<(), Failure> {
        let right = *runtime_id == self.runtime_id && ids.is_none_or(|(asked, told)| asked == told);
        if right { Ok(()) } else { Err(protocol_error()) }
    }
}

fn keyed(context: &CallContext, resend_unknown: bool) -> Call {
    let key = context.key.as_ref();
    Call {
        deadline: context.deadline,
        request_id: context.request_id.clone(),
        traceparent: context.traceparent.clone(),
        key: key.map(|forwarded| forwarded.key.clone()),
        resend_unknown: resend_unknown && key.is_some_and(|forwarded| forwarded.honoured),
    }
}

fn read(context: &CallContext) -> Call {
    Call {
        key: None,
        ..keyed(context, false)
    }
}

fn applied<T>(answer: Answer<T>) -> Applied<T> {
    Applied {
        value: answer.value,
        replayed: answer.replayed,
    }
}

fn failure(error: CallError) -> Failure {
    tracing::debug!(code = %error.failure.code, attempts = error.attempts, "a runtime failed");
    error.failure
}

#[async_trait]
impl RuntimeHandle for Remote {
    fn circuit(&self) -> Option<CircuitView> {
        Some(self.link.view())
    }

    async fn runtime(&self, context: &CallContext) -> Result<RuntimeInfo, Failure> {
        let look = async {
            let info = self
                .client
                .runtime_info(&read(context))
                .await
                .map_err(failure)?
                .value;
            self.check(&info.runtime_id, None)?;
            self.client.follow_limits(&info.limits);
            Ok(info)
        };
        self.link.look(look).await
    }

    async fn list_workers(
        &self,
        query: &ListQuery,
        context: &CallContext,
    ) -> Result<WorkerPage, Failure> {
        let call = async {
            let page = self
                .workers
                .list(query, &read(context))
                .await
                .map_err(failure)?
                .value;
            for worker in &page.workers {
                self.check(&worker.runtime_id, None)?;
            }
            Ok(page)
        };
        self.link.call(context.deadline, call).await
    }

    async fn get_worker(
        &self,
        worker_id: &WorkerId,
        context: &CallContext,
    ) -> Result<Worker, Failure> {
        let call = async {
            let worker = self
                .workers
                .get(worker_id, &read(context))
                .await
                .map_err(failure)?
                .value;
            self.check(&worker.runtime_id, Some((worker_id, &worker.worker_id)))?;
            Ok(worker)
        };
        self.link.call(context.deadline, call).await
    }

    async fn create_worker(
        &self,
        body: CreateWorker,
        context: &CallContext,
    ) -> Result<Applied<Worker>, Failure> {
        let call = async {
            let answer = self
                .workers
                .create(&body, &keyed(context, true))
                .await
                .map_err(failure)?;
            let worker = &answer.value;
            let ids = body.worker_id.as_ref().map(|id| (id, &worker.worker_id));
            self.check(&worker.runtime_id, ids)?;
            Ok(applied(answer))
        };
        self.link.call(context.deadline, call).await
    }

    async fn send_input(
        &self,
        worker_id: &WorkerId,
        body: InputRequest,
        context: &CallContext,
    ) -> Result<Applied<InputAccepted>, Failure> {
        let call = async {
            let answer = self
                .workers
                .input(worker_id, &body, &keyed(context, true))
                .await
                .map_err(failure)?;
            let accepted = &answer.value;
            self.check(&accepted.runtime_id, Some((worker_id, &accepted.worker_id)))?;
            Ok(applied(answer))
        };
        self.link.call(context.deadline, call).await
    }

    async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: CancelRequest,
        context: &CallContext,
    ) -> Result<Applied<Cancelled>, Failure> {
        let call = async {
            // A second cancel that names no run, under a key that nobody asked for, might end the
            // run after the one that was meant.
            let named = body.run_id.is_some()
                || context
                    .key
                    .as_ref()
                    .is_some_and(|forwarded| forwarded.from_caller);
            let answer = self
                .workers
                .cancel(worker_id, &body, &keyed(context, named))
                .await
                .map_err(failure)?;
            let worker = &answer.value.worker;
            self.check(&worker.runtime_id, Some((worker_id, &worker.worker_id)))?;
            Ok(applied(answer))
        };
        self.link.call(context.deadline, call).await
    }

    async fn stop(
        &self,
        worker_id: &WorkerId,
        body: StopRequest,
        context: &CallContext,
    ) -> Result<Applied<Stopped>, Failure> {
        let call = async {
            let answer = self
                .workers
                .stop(worker_id, &body, &keyed(context, true))
                .await
                .map_err(failure)?;
            let worker = &answer.value.worker;
            self.check(&worker.runtime_id, Some((worker_id, &worker.worker_id)))?;
            Ok(applied(answer))
        };
        self.link.call(context.deadline, call).await
    }

    async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
        context: &CallContext,
    ) -> Result<Transcript, Failure> {
        let call = async {
            let transcript = self
                .workers
                .transcript(worker_id, query, &read(context))
                .await
                .map_err(failure)?
                .value;
            self.check(
                &transcript.runtime_id,
                Some((worker_id, &transcript.worker_id)),
            )?;
            Ok(transcript)
        };
        self.link.call(context.deadline, call).await
    }

    async fn observe(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
        context: &CallContext,
    ) -> Result<Box<dyn Upstream>, Failure> {
        let call = async {
            let stream = self
                .workers
                .events(worker_id, cursor, &read(context))
                .await
                .map_err(|error| failure(error).with_effect(Effect::None))?;
            Ok(Box::new(RemoteUpstream(stream)) as Box<dyn Upstream>)
        };
        self.link.open(context.deadline, call).await
    }
}

struct RemoteUpstream(FrameStream);

#[async_trait]
impl Upstream for RemoteUpstream {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        self.0.next().await
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.runtime_id).finish()
    }
}

#[cfg(test)]
mod tests;
