//! Frames as server-sent events.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use tokio::time::{Instant, sleep_until};
use yoi_protocol::{Cursor, StreamEnd, Subject};

use super::batch::Batch;
use super::{FrameSource, ObserveSettings};

/// Answers with what the source yields until it ends, the peer leaves, or the server does.
///
/// `resumed` says that the observer came with a cursor: 204 tells one that has seen all of a
/// stopped Worker that nothing can follow, and a browser then does not come back.
pub async fn sse<S: FrameSource>(
    mut source: S,
    resumed: bool,
    about: Subject,
    settings: &ObserveSettings,
) -> Response {
    let first = Batch::next(&mut source, &settings.drain).await;
    if resumed && says_nothing_new(&first) {
        return StatusCode::NO_CONTENT.into_response();
    }
    let feed = Feed {
        source,
        about,
        settings: settings.clone(),
        ready: Some(first),
        over: false,
    };
    let body = Body::from_stream(stream::unfold(feed, |mut feed| async move {
        let chunk = feed.next_chunk().await?;
        Some((Ok::<_, Infallible>(chunk), feed))
    }));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

fn says_nothing_new(batch: &Batch) -> bool {
    batch.end == Some(StreamEnd::Complete)
        && batch.frames.iter().all(|frame| frame.cursor.is_none())
}

struct Feed<S> {
    source: S,
    about: Subject,
    settings: ObserveSettings,
    ready: Option<Batch>,
    over: bool,
}

impl<S: FrameSource> Feed<S> {
    /// The next bytes; `None` after the last.
    async fn next_chunk(&mut self) -> Option<Bytes> {
        if self.over {
            return None;
        }
        let quiet_until = Instant::now() + self.settings.ping_every;
        let batch = match self.ready.take() {
            Some(batch) => batch,
            None => tokio::select! {
                biased;
                batch = Batch::next(&mut self.source, &self.settings.drain) => batch,
                () = sleep_until(quiet_until) => return Some(Bytes::from_static(b": alive\n\n")),
            },
        };
        let mut chunk = BytesMut::new();
        for frame in &batch.frames {
            put_event(&mut chunk, &frame.text, frame.cursor.as_ref());
        }
        if let Some(end) = &batch.end {
            self.over = true;
            if let Some(last) = self.settings.last_words(end, &self.about) {
                put_event(&mut chunk, last.as_bytes(), None);
            }
        }
        (!chunk.is_empty()).then(|| chunk.freeze())
    }
}

/// One frame as one event with one `data:` line. Line breaks in JSON stand between its tokens
/// only, where a space means the same.
fn put_event(chunk: &mut BytesMut, text: &[u8], cursor: Option<&Cursor>) {
    if let Some(cursor) = cursor {
        chunk.put_slice(b"id: ");
        chunk.put_slice(cursor.as_str().as_bytes());
        chunk.put_u8(b'\n');
    }
    chunk.put_slice(b"data: ");
    chunk.extend(text.iter().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    }));
    chunk.put_slice(b"\n\n");
}
