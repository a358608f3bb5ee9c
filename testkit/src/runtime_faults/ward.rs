//! What ails the insides of a Runtime at the moment.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::fault::Malady;

/// Every malady that has begun and has not ended, the first that began first. Where two are about
/// the same the first is met, until it ends.
#[derive(Default)]
pub(super) struct Ward {
    cases: Mutex<Vec<Arc<Case>>>,
    /// Changes when one begins or ends.
    changes: watch::Sender<()>,
}

/// One malady, and how often it was met.
pub(super) struct Case {
    pub(super) malady: Malady,
    met: AtomicUsize,
}

impl Case {
    /// How often it was met.
    pub(super) fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }
}

impl Ward {
    /// Lets one begin.
    pub(super) fn begin(&self, malady: Malady) -> Arc<Case> {
        let case = Arc::new(Case {
            malady,
            met: AtomicUsize::new(0),
        });
        self.lock().push(Arc::clone(&case));
        self.changes.send_replace(());
        case
    }

    /// Ends one, and no other.
    pub(super) fn end(&self, case: &Arc<Case>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, case));
        self.changes.send_replace(());
    }

    /// The first that is of such a kind, which is met with that.
    pub(super) fn meet(&self, kind: impl Fn(&Malady) -> bool) -> Option<Arc<Case>> {
        let case = self.lock().iter().find(|case| kind(&case.malady)).cloned();
        if let Some(case) = &case {
            case.met.fetch_add(1, Ordering::SeqCst);
        }
        case
    }

    /// Waits until it has ended.
    pub(super) async fn until_ended(&self, case: &Arc<Case>) {
        let mut changes = self.changes.subscribe();
        let ended = |(): &()| !self.lock().iter().any(|other| Arc::ptr_eq(other, case));
        // The sender is ours, so it cannot be gone.
        let _ = changes.wait_for(ended).await;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Case>>> {
        self.cases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ward")
            .field("cases", &self.lock().len())
            .finish_non_exhaustive()
    }
}
