//! Which Workers are watched, and by what upstream.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use yoi_protocol::{Code, Cursor, Failure, Origin, Reason, RuntimeId, StreamEnd, WorkerId};

use super::ObservationSettings;
use super::channel::{Channel, Reader};
use super::frame::Rewriter;
use super::own::Own;
use super::watch::Watch;
use crate::handle::{CallContext, RuntimeHandle, Upstream, protocol_error};
use crate::scrub::Scrubber;
use crate::seal::KeyRing;

type Key = (RuntimeId, WorkerId);

/// All shared upstreams of a Backend. Clones are the same hub.
#[derive(Clone)]
pub(crate) struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    channels: Mutex<HashMap<Key, Arc<Channel>>>,
    settings: ObservationSettings,
    catch_ups: Arc<Semaphore>,
    ending: AtomicBool,
    closed: CancellationToken,
    tasks: TaskTracker,
}

/// What the hub needs to know of the Runtime that is watched.
pub(crate) struct HubContext<'a> {
    pub(crate) runtime_id: &'a RuntimeId,
    pub(crate) handle: &'a dyn RuntimeHandle,
    pub(crate) scrub: &'a Scrubber,
    pub(crate) keys: &'a KeyRing,
}

/// What became of an upstream that is caught up.
pub(super) enum Attached {
    /// Its reader reads the shared frames now.
    Live(Reader),
    /// The shared frames do not meet it yet; they may when they have moved.
    Apart(Box<Own>, watch::Receiver<u64>),
}

impl Hub {
    pub(crate) fn new(settings: ObservationSettings) -> Self {
        Self {
            inner: Arc::new(Inner {
                channels: Mutex::default(),
                catch_ups: Arc::new(Semaphore::new(settings.max_catch_ups)),
                settings,
                ending: AtomicBool::new(false),
                closed: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// Watches a Worker, after `cursor` (the Backend's) or from a snapshot on.
    pub(crate) async fn watch(
        &self,
        context: HubContext<'_>,
        worker_id: &WorkerId,
        cursor: Option<&str>,
        call: &CallContext,
    ) -> Result<Watch, Failure> {
        let rewriter = Rewriter::new(
            context.keys,
            context.runtime_id,
            worker_id,
            context.scrub.clone(),
        );
        let key = (context.runtime_id.clone(), worker_id.clone());
        let upstream_cursor = cursor.map(|text| rewriter.seal().open(text)).transpose()?;
        // Sealed anew: an older key's text of the same position is another one.
        let cursor = upstream_cursor
            .as_ref()
            .map(|cursor| rewriter.seal().seal(cursor))
            .transpose()?;
        if let Some(cursor) = &cursor
            && let Some(watch) = self.resume(&key, cursor)
        {
            return Ok(watch);
        }
        let permit = self.permit().await?;
        let upstream = context
            .handle
            .observe(worker_id, upstream_cursor.as_ref(), call)
            .await?;
        let own = Own::new(upstream, rewriter, cursor, permit);
        Ok(Watch::own(self.clone(), key, own))
    }

    fn resume(&self, key: &Key, cursor: &Cursor) -> Option<Watch> {
        // Under the lock of the map, so that the channel is not retired in between.
        let channels = self.lock();
        let channel = channels.get(key)?;
        let (mut events, in_flight, reader) = channel.resume(cursor)?;
        events.push_back(channel.rewriter().caught_up(in_flight));
        Some(Watch::resumed(self.clone(), key.clone(), events, reader))
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let acquiring = Arc::clone(&self.inner.catch_ups).acquire_owned();
        match tokio::time::timeout(self.inner.settings.catch_up_wait, acquiring).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(Failure::new(Code::Unavailable)),
            Err(_) => Err(Failure::limit("max_catch_ups")),
        }
    }

    /// Hands a caught-up upstream's reader over to the shared frames, or makes this upstream the
    /// shared one when there is none.
    pub(super) fn attach(&self, key: &Key, own: Box<Own>) -> Result<Attached, StreamEnd> {
        let mut channels = self.lock();
        let slot = match channels.entry(key.clone()) {
            MapEntry::Occupied(found) => {
                let channel = found.get();
                let progress = channel.progress();
                return Ok(match own.ready().and_then(|at| channel.join(at)) {
                    Some(reader) => Attached::Live(reader),
                    None => Attached::Apart(own, progress),
                });
            }
            MapEntry::Vacant(slot) => slot,
        };
        let (upstream, rewriter, backlog) = own
            .share(self.inner.settings.backlog_bytes)
            .ok_or_else(|| StreamEnd::Failed(protocol_error()))?;
        let channel = Arc::new(Channel::new(rewriter, backlog));
        let reader = channel.first_reader();
        slot.insert(Arc::clone(&channel));
        drop(channels);
        let pump = self.clone().pump(key.clone(), channel, upstream);
        self.inner.tasks.spawn(pump);
        Ok(Attached::Live(reader))
    }

    /// Moves frames from the live upstream to those who read, until it ends or nobody does.
    async fn pump(self, key: Key, channel: Arc<Channel>, mut upstream: Box<dyn Upstream>) {
        let end = loop {
            match self.carry(&channel, &mut *upstream).await {
                Some(end) => break end,
                None if self.retire(&key, &channel) => break StreamEnd::Draining,
                // Somebody came at the last moment.
                None => {}
            }
        };
        self.remove(&key, &channel);
        channel.finish(self.told(end));
    }

    /// How the upstream ended; `None` when nobody reads any more.
    async fn carry(&self, channel: &Channel, upstream: &mut dyn Upstream) -> Option<StreamEnd> {
        let mut unread = std::pin::pin!(channel.unread_for(self.inner.settings.linger));
        loop {
            let raw = tokio::select! {
                biased;
                () = self.inner.closed.cancelled() => return Some(StreamEnd::Draining),
                () = &mut unread => return None,
                next = upstream.next() => match next {
                    Ok(raw) => raw,
                    Err(end) => return Some(end),
                },
            };
            if let Err(failure) = channel.push(raw) {
                return Some(StreamEnd::Failed(failure));
            }
        }
    }

    /// Forgets a channel that nobody reads; `false` when somebody does after all.
    fn retire(&self, key: &Key, channel: &Arc<Channel>) -> bool {
        let mut channels = self.lock();
        if channel.has_readers() {
            return false;
        }
        if channels.get(key).is_some_and(|c| Arc::ptr_eq(c, channel)) {
            channels.remove(key);
        }
        true
    }

    fn remove(&self, key: &Key, channel: &Arc<Channel>) {
        let mut channels = self.lock();
        if channels.get(key).is_some_and(|c| Arc::ptr_eq(c, channel)) {
            channels.remove(key);
        }
    }

    /// What clients are told of how an upstream ended.
    pub(super) fn told(&self, end: StreamEnd) -> StreamEnd {
        match end {
            StreamEnd::Draining if self.is_ending() => StreamEnd::Draining,
            // Not the Backend but the Runtime shuts down.
            StreamEnd::Draining => unavailable(Reason::Draining),
            // The Backend fell behind, not the client; a client that comes back goes on.
            StreamEnd::SlowConsumer => unavailable(Reason::Overloaded),
            // The Backend sends nothing on an observation.
            StreamEnd::ObservationOnly => StreamEnd::Failed(protocol_error()),
            StreamEnd::Complete => StreamEnd::Complete,
            StreamEnd::Failed(failure) => StreamEnd::Failed(failure),
        }
    }

    fn is_ending(&self) -> bool {
        self.inner.ending.load(Ordering::Acquire)
    }

    /// From here on a Runtime inside that shuts down does so because the Backend does.
    pub(crate) fn begin_end(&self) {
        self.inner.ending.store(true, Ordering::Release);
    }

    /// Ends every watch with `draining`.
    pub(crate) fn close(&self) {
        self.begin_end();
        self.inner.closed.cancel();
        self.inner.tasks.close();
    }

    pub(super) async fn closed(&self) {
        self.inner.closed.cancelled().await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Channel>>> {
        self.inner
            .channels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(reason: Reason) -> StreamEnd {
    StreamEnd::Failed(
        Failure::new(Code::RuntimeUnavailable)
            .by(Origin::Runtime)
            .with_reason(reason)
            .with_retry_after_ms(1000),
    )
}
