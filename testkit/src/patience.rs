//! How long a test waits: by the machine's clock, whatever the test does with its own.

use std::future::pending;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio_util::task::AbortOnDropHandle;

/// How long a test waits for what is to come. Long: only a test that fails ever waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What was waited for did not come.
#[derive(Debug)]
pub(crate) struct Elapsed;

/// Waits for `future`, which is polled here, for so long by the machine's clock.
///
/// The clock of a test that pauses it leaps whenever nothing is left to do, so a wait for somebody
/// on other threads would be over at once.
pub(crate) async fn within<F: Future>(patience: Duration, future: F) -> Result<F::Output, Elapsed> {
    tokio::select! {
        biased;
        output = future => Ok(output),
        () = pass(patience) => Err(Elapsed),
    }
}

/// Lets so much time pass by the machine's clock.
pub(crate) async fn pass(time: Duration) {
    // A timer belongs to the clock that it is made under.
    let passing = machine().spawn(async move { tokio::time::sleep(time).await });
    // It ends when it is over, or with this.
    let _ = AbortOnDropHandle::new(passing).await;
}

/// A runtime whose time nobody pauses.
fn machine() -> &'static Handle {
    static MACHINE: OnceLock<Handle> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime with a clock needs nothing of the machine");
        let handle = runtime.handle().clone();
        thread::Builder::new()
            .name("testkit clock".to_owned())
            .spawn(move || runtime.block_on(pending::<()>()))
            .expect("a test can have threads");
        handle
    })
}
