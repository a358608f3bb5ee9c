//! What an operator hears of a Backend: its log and its metrics.

use std::io;
use std::sync::{Arc, Mutex};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Level};
use tracing_subscriber::fmt::MakeWriter;

/// A log that a test reads.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// What is logged in this thread from here on, while the guard lives.
    pub(crate) fn here(level: Level) -> (Self, Listening) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(log.clone())
            .with_ansi(false)
            .with_max_level(level)
            .finish();
        let guard = Listening {
            _second: Dispatch::new(tracing_subscriber::registry()),
            _first: tracing::subscriber::set_default(subscriber),
        };
        (log, guard)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// While there is only one listener, the thread that comes first to a line of the log says for all
/// whether anybody listens to it, and other tests have none. So there are two.
pub(crate) struct Listening {
    _second: Dispatch,
    _first: DefaultGuard,
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
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

/// The metrics of this thread, and so of a test whose runtime has one.
pub(crate) struct Metrics {
    handle: PrometheusHandle,
    _recorder: metrics::LocalRecorderGuard<'static>,
}

impl Metrics {
    pub(crate) fn here() -> Self {
        let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        Self {
            handle: recorder.handle(),
            _recorder: metrics::set_default_local_recorder(recorder),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.handle.render()
    }

    /// What the metric of this name, with its labels, is at.
    pub(crate) fn value(&self, metric: &str) -> Option<f64> {
        let text = self.text();
        let mut values = text.lines().filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            (name == metric).then(|| value.parse().unwrap())
        });
        values.next()
    }
}
