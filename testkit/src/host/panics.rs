//! Panics in the background: nobody waits for them, so somebody must remember them.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use tokio::task::futures::TaskLocalFuture;

/// What has panicked on the threads of one host, or in the tasks of one peer.
///
/// Hosts are told apart by the name of their threads, which is theirs alone. Peers share theirs,
/// so their tasks carry with them who minds them.
pub(crate) struct Panics {
    threads: Option<String>,
    seen: Seen,
}

type Seen = Arc<Mutex<Vec<String>>>;

tokio::task_local! {
    /// Who remembers what panics in this task.
    static MINDED: Seen;
}

/// Who remembers what panics on the threads of a name.
static WATCHED: Mutex<BTreeMap<String, Seen>> = Mutex::new(BTreeMap::new());

impl Panics {
    /// Remembers what panics on the threads of a host from now on.
    pub(crate) fn watch(what: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(1);

        listen();
        let threads = format!("{what} ({})", COUNT.fetch_add(1, Ordering::Relaxed));
        let seen = Seen::default();
        lock(&WATCHED).insert(threads.clone(), Arc::clone(&seen));
        Self {
            threads: Some(threads),
            seen,
        }
    }

    /// Remembers what panics in the tasks that are [minded](Self::mind).
    pub(crate) fn of_tasks() -> Self {
        listen();
        Self {
            threads: None,
            seen: Seen::default(),
        }
    }

    /// Those of the task that runs here; of nobody where none does.
    pub(crate) fn inherited() -> Self {
        Self {
            threads: None,
            seen: MINDED.try_with(Arc::clone).unwrap_or_default(),
        }
    }

    /// A task whose panics are remembered here.
    pub(crate) fn mind<F: Future>(&self, task: F) -> TaskLocalFuture<Seen, F> {
        MINDED.scope(Arc::clone(&self.seen), task)
    }

    /// The name that the host's threads must have.
    pub(crate) fn thread_name(&self) -> &str {
        self.threads.as_deref().unwrap_or_default()
    }

    /// What has panicked since this was asked last: the messages and their places.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.seen))
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        if let Some(threads) = &self.threads {
            lock(&WATCHED).remove(threads);
        }
    }
}

/// Hears of every panic of the program from now on.
fn listen() {
    static HOOK: Once = Once::new();

    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            remember(info);
            previous(info);
        }));
    });
}

fn remember(info: &PanicHookInfo<'_>) {
    let of_the_task = MINDED.try_with(Arc::clone).ok();
    let of_the_thread = || {
        let thread = thread::current();
        lock(&WATCHED).get(thread.name()?).map(Arc::clone)
    };
    if let Some(seen) = of_the_task.or_else(of_the_thread) {
        let message = text_of(info.payload());
        let place = info
            .location()
            .map(|place| format!(", at {place}"))
            .unwrap_or_default();
        lock(&seen).push(format!("{message}{place}"));
    }
}

/// What a panic says.
pub(crate) fn text_of(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
