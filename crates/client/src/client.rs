//! The client, and what it can ask that is not about one Worker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use yoi_protocol::{
    Api, Limits, ListQuery, RuntimeDetail, RuntimeId, RuntimeInfo, RuntimeList, WorkerSweep, path,
};

use crate::ask::{Ask, list_query};
use crate::base::BaseUrl;
use crate::budget::Budget;
use crate::caps::SharedCaps;
use crate::classify::View;
use crate::credential::Auth;
use crate::{
    Answer, Call, CallError, Caps, ClientBuilder, ClientConfigError, Perspective, RetryPolicy,
    Timeouts, Transport, Workers,
};

/// A client of one server. Cheap to clone; clones share connections, credential and caps.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) base: BaseUrl,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) auth: Auth,
    pub(crate) settings: Settings,
    pub(crate) caps: SharedCaps,
    pub(crate) budget: Budget,
}

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) addressee: Option<RuntimeId>,
    pub(crate) perspective: Perspective,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) idle: Duration,
}

impl Client {
    /// Begins a client for the server at `base_url`: `http://` or `https://`, with an optional
    /// path prefix, without user, query or fragment.
    ///
    /// # Errors
    /// [`ClientConfigError`], which never repeats the URL.
    pub fn builder(base_url: &str) -> Result<ClientBuilder, ClientConfigError> {
        ClientBuilder::new(base_url)
    }

    pub(crate) fn assemble(
        base: BaseUrl,
        transport: Arc<dyn Transport>,
        auth: Auth,
        settings: Settings,
        caps: Caps,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                base,
                transport,
                auth,
                budget: Budget::new(settings.retry.budget),
                settings,
                caps: SharedCaps::new(caps),
            }),
        }
    }

    /// The Workers behind an API: a Runtime's own, or those of one Runtime at a Backend.
    #[must_use]
    pub fn workers(&self, api: Api) -> Workers {
        Workers::new(self.clone(), api)
    }

    /// What a Runtime says of itself.
    ///
    /// # Errors
    /// [`CallError`], as every call.
    pub async fn runtime_info(&self, call: &Call) -> Result<Answer<RuntimeInfo>, CallError> {
        self.fetch(&Ask::read(Api::Runtime.runtime(), None), call)
            .await
    }

    /// What a Backend knows of its Runtimes.
    ///
    /// # Errors
    /// [`CallError`], as every call.
    pub async fn runtimes(&self, call: &Call) -> Result<Answer<RuntimeList>, CallError> {
        self.fetch(&Ask::read(path::backend::RUNTIMES, None), call)
            .await
    }

    /// What a Backend knows of one Runtime.
    ///
    /// # Errors
    /// [`CallError`], as every call.
    pub async fn runtime_detail(
        &self,
        runtime_id: &RuntimeId,
        call: &Call,
    ) -> Result<Answer<RuntimeDetail>, CallError> {
        let path = Api::Backend(runtime_id.clone()).runtime();
        self.fetch(&Ask::read(path, None), call).await
    }

    /// The Workers of all Runtimes of a Backend, and which Runtimes may be missing.
    ///
    /// # Errors
    /// [`CallError`], as every call.
    pub async fn all_workers(
        &self,
        query: &ListQuery,
        call: &Call,
    ) -> Result<Answer<WorkerSweep>, CallError> {
        let path = format!("{}{}", path::backend::ALL_WORKERS, list_query(query));
        self.fetch(&Ask::read(path, None), call).await
    }

    /// How much is read of an answer and of a frame.
    #[must_use]
    pub fn caps(&self) -> Caps {
        self.inner.caps.get()
    }

    /// Reads as much from now on as a Runtime with these limits can need, and no more.
    pub fn follow_limits(&self, limits: &Limits) {
        self.inner.caps.set(Caps::for_limits(limits));
    }

    pub(crate) fn view(&self, ask: &Ask) -> View<'_> {
        View {
            perspective: self.inner.settings.perspective,
            addressee: self.inner.settings.addressee.as_ref(),
            operation: ask.operation(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}
