//! The events of a Worker, as the commands read them.

use yoi_client::{Call, Client, FrameStream, Workers};
use yoi_protocol::{Api, Control, Cursor, RawFrame, StreamEnd};

use crate::error::CliError;
use crate::target::Target;

/// A stream of frames that comes back by itself when it was only too slow.
pub(crate) struct Feed<'a> {
    workers: Workers,
    target: &'a Target,
    stream: FrameStream,
    /// The last position that was read.
    cursor: Option<Cursor>,
    /// Whether anything was read since the stream was opened: without that, coming back would
    /// only go round in circles.
    moved: bool,
}

impl<'a> Feed<'a> {
    pub(crate) async fn open(
        client: &Client,
        target: &'a Target,
        cursor: Option<Cursor>,
    ) -> Result<Self, CliError> {
        let workers = client.workers(Api::Backend(target.runtime_id.clone()));
        let stream = workers
            .events(&target.worker_id, cursor.as_ref(), &Call::default())
            .await?;
        Ok(Self {
            workers,
            target,
            stream,
            cursor,
            moved: false,
        })
    }

    /// The next frame; `None` when the Worker is stopped and everything was told.
    pub(crate) async fn next(&mut self) -> Result<Option<RawFrame>, CliError> {
        loop {
            match self.stream.next().await {
                Ok(frame) => {
                    if let Some(cursor) = frame.cursor() {
                        self.cursor = Some(cursor);
                        self.moved = true;
                    }
                    return Ok(Some(frame));
                }
                Err(StreamEnd::Complete) => return Ok(None),
                Err(StreamEnd::SlowConsumer) if self.moved => {
                    self.stream = self
                        .workers
                        .events(
                            &self.target.worker_id,
                            self.cursor.as_ref(),
                            &Call::default(),
                        )
                        .await?;
                    self.moved = false;
                }
                Err(end) => {
                    return Err(CliError::Stream {
                        resume: self.resume(),
                        end,
                    });
                }
            }
        }
    }

    fn resume(&self) -> Option<String> {
        let cursor = self.cursor.as_ref()?;
        Some(format!("yoi watch {} --cursor {cursor}", self.target))
    }
}

/// A frame as one line of JSON. What a peer has broken over lines between its values is joined:
/// no text inside a JSON value can hold a line end.
pub(crate) fn json_line(frame: &RawFrame) -> String {
    frame.to_text().replace(['\n', '\r'], " ")
}

/// What a frame says of the way to the Runtime, for people.
pub(crate) fn of_the_link(control: &Control) -> Option<String> {
    match control {
        Control::UpstreamLost { code } => Some(format!("* the runtime is lost for now: {code}")),
        Control::UpstreamRestored => Some("* the runtime is back".to_owned()),
        Control::CaughtUp { .. } | Control::Unknown => None,
    }
}
