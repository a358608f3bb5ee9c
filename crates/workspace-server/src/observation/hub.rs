//! Which Workers are watched, and by what upstream.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use yoi_protocol::{Cursor, Failure, RuntimeId, StreamEnd, WorkerId};

use super::ObservationSettings;
use super::channel::{Channel, Reader};
use super::frame::Rewriter;
use super::lanes::Lanes;
use super::own::{Bounds, Own};
use super::pump::Pump;
use super::upstream::{Open, Resuming};
use super::watch::Watch;
use crate::handle::{CallContext, protocol_error};
use crate::registry::Entry;
use crate::seal::KeyRing;
use crate::sync::{self, Mutex, MutexGuard};
use crate::telemetry::Counted;

/// How long an upstream that ends by itself has for that, once the Backend ends. Far longer than
/// it takes to read what a Runtime inside has said already.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Who is watched.
pub(super) type Key = (RuntimeId, WorkerId);

/// All shared upstreams of a Backend. Clones are the same hub.
#[derive(Clone)]
pub(crate) struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    channels: Mutex<HashMap<Key, Arc<Channel>>>,
    settings: ObservationSettings,
    lanes: Lanes,
    ending: AtomicBool,
    closed: CancellationToken,
    closed_at: OnceLock<Instant>,
    tasks: TaskTracker,
}

/// What the hub needs to know of the Runtime that is watched.
pub(crate) struct HubContext<'a> {
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) keys: &'a KeyRing,
}

/// What became of an upstream that is caught up.
pub(super) enum Attached {
    /// Its reader reads the shared frames now.
    Live(Reader),
    /// The shared frames do not meet it yet; they may when they have moved. Once the Backend ends
    /// there are no new ones.
    Apart(Box<Own>, Option<watch::Receiver<u64>>),
}

impl Hub {
    pub(crate) fn new(settings: ObservationSettings) -> Self {
        Self {
            inner: Arc::new(Inner {
                channels: Mutex::default(),
                lanes: Lanes::new(settings.max_catch_ups),
                settings,
                ending: AtomicBool::new(false),
                closed: CancellationToken::new(),
                closed_at: OnceLock::new(),
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
        let HubContext { entry, keys } = context;
        let runtime_id = &entry.runtime_id;
        let rewriter = Rewriter::new(keys, runtime_id, worker_id, entry.scrub.clone());
        let key = (runtime_id.clone(), worker_id.clone());
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
        let settings = &self.inner.settings;
        let place = self
            .inner
            .lanes
            .place(runtime_id, settings.catch_up_wait)
            .await?;
        let observed = entry
            .handle
            .observe(worker_id, upstream_cursor.as_ref(), call);
        // Only this is the Runtime's doing: all else here says nothing of how it is.
        let upstream = entry.settle(observed.await)?;
        let bounds = Bounds {
            patience: settings.catch_up_patience,
            in_flight_bytes: entry.in_flight_bytes(),
            ends_itself: entry.ends_with_us,
        };
        let open = opener(Arc::clone(entry), worker_id.clone());
        let upstream = Resuming::new(upstream, open, settings.backoff);
        let own = Own::new(upstream, rewriter, cursor, bounds, place);
        Ok(Watch::own(self.clone(), key, Box::new(own)))
    }

    fn resume(&self, key: &Key, cursor: &Cursor) -> Option<Watch> {
        // A seat is taken under the lock of the map, so that the channel is not retired in
        // between; the ring is searched without it, for that takes long.
        let seat = self.lock().get(key)?.seat();
        let (events, reader) = seat.resume(cursor)?;
        Some(Watch::resumed(self.clone(), key.clone(), events, reader))
    }

    /// Hands a caught-up upstream's reader over to the shared frames, or makes this upstream the
    /// shared one when there is none.
    pub(super) fn attach(&self, key: &Key, own: Box<Own>) -> Result<Attached, StreamEnd> {
        let mut channels = self.lock();
        if let Some(channel) = channels.get(key) {
            let seat = channel.seat();
            drop(channels);
            let progress = seat.progress();
            let joined = match own.ready() {
                Some(at) => seat.join(at, own.course()),
                None => Ok(None),
            };
            return Ok(match joined.map_err(StreamEnd::Failed)? {
                Some(reader) => Attached::Live(reader),
                None => Attached::Apart(own, Some(progress)),
            });
        }
        if self.inner.closed.is_cancelled() {
            return Ok(Attached::Apart(own, None));
        }
        let ends_itself = own.ends_itself();
        let shared = own
            .share(self.inner.settings.backlog_bytes)
            .ok_or_else(|| StreamEnd::Failed(protocol_error()))?;
        let channel = Arc::new(Channel::new(shared.rewriter, shared.backlog, shared.course));
        let reader = channel.seat().at_the_end();
        channels.insert(key.clone(), Arc::clone(&channel));
        // Whoever closes the hub waits for the lock, and then for this.
        let begun = self.inner.tasks.token();
        drop(channels);
        let pump = Pump {
            hub: self.clone(),
            key: key.clone(),
            channel,
            upstream: shared.upstream,
            ends_itself,
            caught_up_by: None,
            _counted: Counted::shared_upstream(),
        };
        sync::spawn(&self.inner.tasks, pump.run());
        drop(begun);
        Ok(Attached::Live(reader))
    }

    /// Forgets a channel that nobody reads; `false` when somebody does after all.
    pub(super) fn retire(&self, key: &Key, channel: &Arc<Channel>) -> bool {
        let mut channels = self.lock();
        if channel.has_readers() {
            return false;
        }
        if channels.get(key).is_some_and(|c| Arc::ptr_eq(c, channel)) {
            channels.remove(key);
        }
        true
    }

    pub(super) fn remove(&self, key: &Key, channel: &Arc<Channel>) {
        let mut channels = self.lock();
        if channels.get(key).is_some_and(|c| Arc::ptr_eq(c, channel)) {
            channels.remove(key);
        }
    }

    pub(super) fn settings(&self) -> &ObservationSettings {
        &self.inner.settings
    }

    pub(super) fn is_ending(&self) -> bool {
        self.inner.ending.load(Ordering::Acquire)
    }

    /// From here on a Runtime inside that shuts down does so because the Backend does.
    pub(crate) fn begin_end(&self) {
        self.inner.ending.store(true, Ordering::Release);
    }

    /// Ends every watch with `draining`: those of Runtimes that were drained before, once what
    /// these have said last is told; all others now.
    pub(crate) fn close(&self) {
        self.begin_end();
        self.inner.closed_at.get_or_init(Instant::now);
        {
            // So that nobody who has looked before begins a shared upstream after.
            let _channels = self.lock();
            self.inner.closed.cancel();
        }
        self.inner.tasks.close();
    }

    /// Waits, after [`close`](Self::close), until the shared upstreams have ended.
    pub(crate) async fn ended(&self) {
        self.inner.tasks.wait().await;
    }

    /// Waits until an upstream is to be cut off, because the Backend ends.
    pub(super) async fn cut(&self, ends_itself: bool) {
        self.inner.closed.cancelled().await;
        if ends_itself && let Some(closed_at) = self.inner.closed_at.get() {
            sleep_until(*closed_at + LAST_WORDS).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Channel>>> {
        self.inner
            .channels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the upstream of a Worker again.
fn opener(entry: Arc<Entry>, worker_id: WorkerId) -> Open {
    Box::new(move |cursor| {
        let (entry, worker_id) = (Arc::clone(&entry), worker_id.clone());
        Box::pin(async move {
            let call = CallContext {
                deadline: Some(Instant::now() + entry.timeouts.request),
                ..CallContext::default()
            };
            let observed = entry.handle.observe(&worker_id, Some(&cursor), &call);
            // Only this is the Runtime's doing: all else here says nothing of how it is.
            entry.settle(observed.await)
        })
    })
}
