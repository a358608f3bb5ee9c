//! Panics in the background: nobody waits for them, so somebody must remember them.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;

/// What has panicked on the threads of one host.
///
/// Hosts are told apart by the name of their threads, which is theirs alone.
pub(crate) struct Panics {
    threads: String,
    seen: Seen,
}

type Seen = Arc<Mutex<Vec<String>>>;

/// Who remembers what panics on the threads of a name.
static WATCHED: Mutex<BTreeMap<String, Seen>> = Mutex::new(BTreeMap::new());

impl Panics {
    /// Remembers what panics on the threads of a host from now on.
    pub(crate) fn watch(what: &str) -> Self {
        static HOOK: Once = Once::new();
        static COUNT: AtomicUsize = AtomicUsize::new(1);

        HOOK.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                remember(info);
                previous(info);
            }));
        });
        let threads = format!("{what} ({})", COUNT.fetch_add(1, Ordering::Relaxed));
        let seen = Seen::default();
        lock(&WATCHED).insert(threads.clone(), Arc::clone(&seen));
        Self { threads, seen }
    }

    /// The name that the host's threads must have.
    pub(crate) fn thread_name(&self) -> &str {
        &self.threads
    }

    /// What has panicked since this was asked last: the messages and their places.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.seen))
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        lock(&WATCHED).remove(&self.threads);
    }
}

fn remember(info: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let Some(name) = thread.name() else { return };
    let seen = lock(&WATCHED).get(name).map(Arc::clone);
    if let Some(seen) = seen {
        let message = text_of(info.payload());
        let place = info
            .location()
            .map(|place| format!(", at {place}"))
            .unwrap_or_default();
        lock(&seen).push(format!("{message}{place}"));
    }
}

/// What a panic says.
pub(super) fn text_of(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
