//! Observation as server-sent events.

use serde_json::Value;
use yoi_protocol::{Cursor, RawFrame, WorkerId};

use super::ask::{Ask, Wire};
use super::socket::Message;
use crate::catalogue::checks;
use crate::sse::{self, Sent};
use crate::unmet::{Unmet, Verdict, broken, holds, same};

checks! { Wire, "sse";
    has_the_same_frames: "server-sent events carry the same frames as the WebSocket";
    names_events_by_their_cursor: "each event has its cursor for an id, and other frames have none";
    is_said_not_to_be_buffered: "the stream is text/event-stream, with X-Accel-Buffering: no";
    ends_after_a_stop: "after worker_stopped the stream ends, and who comes back with the last cursor gets 204";
    goes_on_from_the_last_event_id: "Last-Event-ID leads to what follows, and wins over ?cursor=";
    refuses_forged_cursors: "a cursor that is none is cursor_invalid, or cursor_unknown, wherever it stands";
}

/// A stopped Worker that has run once, and the cursor of its input.
async fn stopped(wire: &Wire) -> Result<(WorkerId, String, Cursor), Unmet> {
    wire.needs_sse()?;
    let (worker_id, path) = wire.idle().await?;
    let accepted = wire.bench().run(&worker_id).await?;
    wire.bench().stop(&worker_id).await?;
    Ok((worker_id, format!("{path}/events"), accepted.cursor))
}

/// A whole stream, which must end by itself.
async fn read(ask: Ask<'_>) -> Result<Vec<Sent>, Unmet> {
    let reply = ask.send().await?;
    reply.is(200)?;
    sse::parse(&reply.text())
}

fn frame(sent: &Sent) -> Result<RawFrame, Unmet> {
    RawFrame::parse(&sent.data)
        .map_err(|error| broken(format!("an event is no frame: {error}: {}", sent.data)))
}

fn json(text: &str) -> Result<Value, Unmet> {
    serde_json::from_str(text)
        .map_err(|error| broken(format!("a frame is no JSON: {error}: {text}")))
}

async fn has_the_same_frames(wire: &Wire) -> Verdict {
    let (_, path, cursor) = stopped(wire).await?;
    wire.needs_websocket()?;
    let from = format!("?cursor={cursor}");
    let sent = read(wire.get(format!("{path}{from}"))).await?;
    let sent = sent.iter().map(|one| json(&one.data));
    let sent: Vec<Value> = sent.collect::<Result<_, Unmet>>()?;
    let mut socket = wire.get(format!("{path}/ws{from}")).upgrade().await?;
    let mut messages = Vec::new();
    loop {
        match socket.next().await? {
            Message::Text(text) => messages.push(json(&text)?),
            Message::Close(_) => break,
            other => return Err(broken(format!("{other:?} came over the WebSocket"))),
        }
    }
    same("what server-sent events say", sent, messages)
}

async fn names_events_by_their_cursor(wire: &Wire) -> Verdict {
    let (_, path, _) = stopped(wire).await?;
    let sent = read(wire.get(path)).await?;
    holds(sent.len() >= 2, || {
        format!("only {} frames came", sent.len())
    })?;
    for one in &sent {
        let cursor = frame(one)?.cursor().map(|cursor| cursor.to_string());
        same("the id of a frame", &one.id, &cursor)?;
    }
    Ok(())
}

async fn is_said_not_to_be_buffered(wire: &Wire) -> Verdict {
    let (_, path, _) = stopped(wire).await?;
    let reply = wire.get(path).send().await?;
    reply.is(200)?;
    same("the media type", reply.media_type(), "text/event-stream")?;
    same(
        "x-accel-buffering",
        reply.header("x-accel-buffering"),
        Some("no"),
    )
}

async fn ends_after_a_stop(wire: &Wire) -> Verdict {
    let (_, path, cursor) = stopped(wire).await?;
    let sent = read(wire.get(format!("{path}?cursor={cursor}"))).await?;
    let last = sent.iter().rev().find_map(|one| one.id.clone());
    let Some(last) = last else {
        return Err(broken("not one event came"));
    };
    let back = wire.get(&*path).header("last-event-id", &last);
    back.send().await?.is(204)?;
    wire.get(format!("{path}?cursor={last}"))
        .send()
        .await?
        .is(204)
}

async fn goes_on_from_the_last_event_id(wire: &Wire) -> Verdict {
    let (_, path, cursor) = stopped(wire).await?;
    let all = read(wire.get(format!("{path}?cursor={cursor}"))).await?;
    let events: Vec<&Sent> = all.iter().filter(|one| one.id.is_some()).collect();
    let [first, rest @ ..] = events.as_slice() else {
        return Err(broken("not one event came"));
    };
    let id = first.id.as_deref().unwrap_or_default();
    let ask = wire.get(format!("{path}?cursor={cursor}"));
    let again = read(ask.header("last-event-id", id)).await?;
    let again: Vec<&Sent> = again.iter().filter(|one| one.id.is_some()).collect();
    same("the events after Last-Event-ID", again.as_slice(), rest)
}

async fn refuses_forged_cursors(wire: &Wire) -> Verdict {
    // Of a stopped worker: a stream that comes all the same ends.
    let (_, path, _) = stopped(wire).await?;
    for forged in ["x", "AAAA", &"A".repeat(128)] {
        let asked = wire.get(format!("{path}?cursor={forged}"));
        asked.send().await?.refuses_a_cursor()?;
        let asked = wire.get(&*path).header("last-event-id", forged);
        asked.send().await?.refuses_a_cursor()?;
    }
    Ok(())
}
