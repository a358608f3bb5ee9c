//! Observation over a WebSocket, byte by byte.

use yoi_protocol::{Code, RawFrame, WorkerId};

use super::ask::Wire;
use super::socket::{BINARY, Message, PING, TEXT, WebSocket};
use crate::catalogue::checks;
use crate::unmet::{Unmet, Verdict, broken, holds, same};

checks! { Wire, "websocket";
    sends_one_frame_a_message: "every frame is one text message of JSON, as this contract has it";
    is_for_observation_only: "whatever the client says is answered with observation_only and close 1008";
    closes_with_1000_after_a_stop: "after worker_stopped nothing follows but close 1000";
    answers_pings: "a ping is answered with a pong of the same content";
    refuses_before_the_upgrade: "what the Runtime knows before the upgrade it tells as a problem";
    needs_an_upgrade: "a WebSocket route without an upgrade is upgrade_required";
}

async fn open(wire: &Wire, path: &str) -> Result<WebSocket, Unmet> {
    wire.needs_websocket()?;
    wire.get(format!("{path}/events/ws")).upgrade().await
}

async fn text(socket: &mut WebSocket) -> Result<RawFrame, Unmet> {
    match socket.next().await? {
        Message::Text(text) => RawFrame::parse(&text)
            .map_err(|error| broken(format!("a message is no frame: {error}: {text}"))),
        other => Err(broken(format!("{other:?} came, not a text message"))),
    }
}

/// Every frame up to `caught_up`.
async fn past(socket: &mut WebSocket) -> Result<Vec<RawFrame>, Unmet> {
    let mut all = Vec::new();
    loop {
        let frame = text(socket).await?;
        let is_last = frame.payload_type("control").as_deref() == Some("caught_up");
        all.push(frame);
        if is_last {
            return Ok(all);
        }
    }
}

async fn sends_one_frame_a_message(wire: &Wire) -> Verdict {
    let (worker_id, path) = wire.idle().await?;
    wire.bench().run(&worker_id).await?;
    let mut socket = open(wire, &path).await?;
    let frames = past(&mut socket).await?;
    let Some(first) = frames.first() else {
        return Err(broken("not one frame came"));
    };
    same(
        "the first event",
        first.payload_type("event").as_deref(),
        Some("snapshot"),
    )?;
    same(
        "its worker_id",
        first.read::<WorkerId>("worker_id"),
        Some(worker_id),
    )?;
    holds(first.raw("at").is_some(), || {
        "an event without a time".to_owned()
    })
}

async fn is_for_observation_only(wire: &Wire) -> Verdict {
    let (_, path) = wire.idle().await?;
    for (kind, words) in [(TEXT, b"{}".as_slice()), (BINARY, b"\0\x01")] {
        let mut socket = open(wire, &path).await?;
        past(&mut socket).await?;
        socket.say(kind, words).await?;
        let told = text(&mut socket).await?;
        let diagnostic: Option<yoi_protocol::FrameDiagnostic> = told.read("diagnostic");
        let code = diagnostic.map(|diagnostic| diagnostic.code);
        same("the diagnostic", code.as_deref(), Some("observation_only"))?;
        same(
            "the close",
            socket.next().await?,
            Message::Close(Some(1008)),
        )?;
    }
    Ok(())
}

async fn closes_with_1000_after_a_stop(wire: &Wire) -> Verdict {
    let (worker_id, path) = wire.idle().await?;
    let mut socket = open(wire, &path).await?;
    past(&mut socket).await?;
    wire.bench().stop(&worker_id).await?;
    loop {
        let told = text(&mut socket).await?;
        if told.payload_type("event").as_deref() == Some("worker_stopped") {
            break;
        }
    }
    same(
        "what follows",
        socket.next().await?,
        Message::Close(Some(1000)),
    )
}

async fn answers_pings(wire: &Wire) -> Verdict {
    let (_, path) = wire.idle().await?;
    let mut socket = open(wire, &path).await?;
    past(&mut socket).await?;
    socket.say(PING, b"conformance").await?;
    let pong = Message::Pong(b"conformance".to_vec());
    same("the answer to a ping", socket.next().await?, pong)
}

async fn refuses_before_the_upgrade(wire: &Wire) -> Verdict {
    wire.needs_websocket()?;
    let (_, path) = wire.idle().await?;
    let nobody = wire.get("/v1/workers/conformance-nobody/events/ws");
    let nobody = nobody.refused_upgrade().await?;
    nobody.refused_read(Code::WorkerNotFound)?;
    for forged in ["x", "AAAA", "%20", &"A".repeat(128), &"A".repeat(1000)] {
        let ask = wire.get(format!("{path}/events/ws?cursor={forged}"));
        let reply = ask.refused_upgrade().await?;
        reply.refuses_a_cursor()?;
    }
    Ok(())
}

async fn needs_an_upgrade(wire: &Wire) -> Verdict {
    wire.needs_websocket()?;
    let (_, path) = wire.idle().await?;
    let reply = wire.get(format!("{path}/events/ws")).send().await?;
    reply.refused_read(Code::UpgradeRequired)?;
    Ok(())
}
