//! What the servers of this program log, held to showing no secret.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Everything that our crates log in this program, at every level: only how much it was, and the
/// lines that show a secret.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    lines: usize,
    telling: Vec<String>,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// What every secret of the matrix has in it: planted ones, addresses, and the files of credentials.
fn is_telling(line: &str) -> bool {
    let folder = std::env::temp_dir();
    let folder = folder.to_str().expect("temporary folders are UTF-8");
    ["canary", "127.0.0.1", ".invalid", folder]
        .iter()
        .any(|secret| line.contains(secret))
}

impl Log {
    /// The log of this program, from here on.
    pub(crate) fn listen() -> Self {
        let begin = || {
            let log = Self::default();
            let ours = [
                "yoi_workspace_server",
                "yoi_client",
                "yoi_http_kit",
                "worker_runtime",
                "yoi",
            ];
            let filter = Targets::new().with_targets(ours.map(|name| (name, Level::TRACE)));
            let lines = tracing_subscriber::fmt::layer()
                .with_writer(log.clone())
                .with_ansi(false);
            tracing_subscriber::registry()
                .with(lines)
                .with(filter)
                .init();
            log
        };
        LOG.get_or_init(begin).clone()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails the test if a line shows a secret, or if there is no log at all.
    pub(crate) fn assert_silent_about_secrets(&self) {
        let heard = self.heard();
        assert!(heard.lines > 0, "nothing was logged: is anybody listening?");
        assert!(
            heard.telling.is_empty(),
            "the log shows: {:#?}",
            heard.telling
        );
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let mut heard = self.heard();
        heard.lines += 1;
        if is_telling(&text) {
            heard.telling.push(text.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
