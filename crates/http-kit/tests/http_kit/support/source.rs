//! Frames by script.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};
use yoi_http_kit::{FrameSource, OutFrame};
use yoi_protocol::{Cursor, StreamEnd};

/// A source that says what it is told to. Counts the bytes that were taken of it, and tells when
/// it is dropped.
pub(crate) struct Script {
    told: mpsc::UnboundedReceiver<Result<OutFrame, StreamEnd>>,
    forever: Option<OutFrame>,
    pub(crate) taken: Arc<AtomicUsize>,
    _dropped: oneshot::Sender<()>,
}

pub(crate) type Teller = mpsc::UnboundedSender<Result<OutFrame, StreamEnd>>;

impl Script {
    pub(crate) fn new() -> (Self, Teller, oneshot::Receiver<()>) {
        let (teller, told) = mpsc::unbounded_channel();
        let (_dropped, dropped) = oneshot::channel();
        let script = Self {
            told,
            forever: None,
            taken: Arc::default(),
            _dropped,
        };
        (script, teller, dropped)
    }

    /// A source that has told all of `steps` already.
    pub(crate) fn of(steps: Vec<Result<OutFrame, StreamEnd>>) -> Self {
        let (script, teller, _) = Self::new();
        for step in steps {
            teller.send(step).unwrap();
        }
        script
    }

    /// A source that never runs dry.
    pub(crate) fn endless(frame: OutFrame) -> (Self, oneshot::Receiver<()>) {
        let (mut script, _, dropped) = Self::new();
        script.forever = Some(frame);
        (script, dropped)
    }

    fn take(&self, frame: &OutFrame) {
        self.taken.fetch_add(frame.text.len(), Ordering::SeqCst);
    }
}

impl FrameSource for Script {
    async fn next(&mut self) -> Result<OutFrame, StreamEnd> {
        if let Some(frame) = &self.forever {
            self.take(frame);
            return Ok(frame.clone());
        }
        match self.told.recv().await {
            Some(step) => step,
            None => std::future::pending().await,
        }
    }

    fn try_next(&mut self) -> Option<Result<OutFrame, StreamEnd>> {
        if let Some(frame) = &self.forever {
            self.take(frame);
            return Some(Ok(frame.clone()));
        }
        self.told.try_recv().ok()
    }
}

pub(crate) fn frame(text: &str, cursor: Option<&str>) -> OutFrame {
    OutFrame {
        text: text.to_owned().into(),
        cursor: cursor.map(|text| Cursor::parse(text).unwrap()),
    }
}
