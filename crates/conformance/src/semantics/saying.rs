//! What a run is saying while it says it.

use std::time::Duration;

use tokio::time::timeout;
use yoi_protocol::{CancelRequest, Delta, Event, Frame, InputAccepted, Outcome, Role, RunId};

use crate::bench::Bench;
use crate::catalogue::checks;
use crate::unmet::{Unmet, Verdict, broken, holds, same, skipped};
use crate::watch::{Watch, event};

checks! { Bench, "deltas";
    add_up_to_the_entry: "pieces of a text join without hole or overlap, and add up to the entry that follows";
    are_in_flight_for_who_comes_late: "caught_up tells who comes late what the run has said since its last entry";
    are_kept_when_the_run_is_cancelled: "a run that is cancelled appends its text so far as an entry first";
}

/// How long a long run is given to say something.
const TO_SPEAK: Duration = Duration::from_secs(2);

/// The text of a run since its last entry, as its deltas tell it.
#[derive(Debug, Default)]
struct Said {
    text: String,
    pieces: usize,
}

impl Said {
    fn hear(&mut self, offset: u64, piece: &str) -> Verdict {
        same("the offset of a delta", offset, self.text.len() as u64)?;
        holds(!piece.is_empty(), || "a delta says nothing".to_owned())?;
        self.text.push_str(piece);
        self.pieces += 1;
        Ok(())
    }

    /// Takes a frame; an entry of the Worker must be what was said.
    fn take(&mut self, frame: &Frame, run: &RunId) -> Verdict {
        match frame {
            Frame::Delta(delta) => match &delta.delta {
                Delta::Text {
                    run_id,
                    offset,
                    text,
                } => {
                    same("the run of a delta", run_id, run)?;
                    self.hear(*offset, text)
                }
                Delta::Thinking { .. } | Delta::ToolArguments { .. } | Delta::Unknown(_) => Ok(()),
            },
            Frame::Event(told) => match &told.event {
                Event::EntryAppended { entry }
                    if entry.role == Role::Assistant && !self.text.is_empty() =>
                {
                    let said = std::mem::take(&mut self.text);
                    same("the entry", entry.content.as_str(), said.as_str())
                }
                _ => Ok(()),
            },
            Frame::Control(_) | Frame::Diagnostic(_) => Ok(()),
        }
    }
}

async fn add_up_to_the_entry(bench: &Bench) -> Verdict {
    let worker_id = bench.idle().await?;
    let (mut watch, _) = bench.watch(&worker_id).await?;
    watch.past().await?;
    let accepted = bench.input(&worker_id).await?;
    let mut said = Said::default();
    for frame in watch.until_finished().await? {
        said.take(&frame, &accepted.run_id)?;
    }
    holds(said.text.is_empty(), || {
        format!("{:?} was said, and no entry has it", said.text)
    })?;
    if said.pieces == 0 {
        return Err(skipped("the profile says nothing in pieces"));
    }
    Ok(())
}

/// A long run that has said something, and its observer from the beginning.
async fn speaking(bench: &Bench) -> Result<(Watch, InputAccepted, Said), Unmet> {
    let worker_id = bench.long_idle().await?;
    let (mut watch, _) = bench.watch(&worker_id).await?;
    watch.past().await?;
    let accepted = bench.input(&worker_id).await?;
    let mut said = Said::default();
    let speaking = async {
        while said.text.is_empty() {
            let frame = watch.next().await?;
            said.take(&frame, &accepted.run_id)?;
            if let Some(Event::RunFinished { .. }) = event(&frame) {
                return Err(skipped("the run of the long profile ended by itself"));
            }
        }
        Ok(())
    };
    match timeout(TO_SPEAK, speaking).await {
        Ok(spoken) => spoken?,
        Err(_elapsed) => {
            return Err(skipped(format!(
                "the long profile says nothing within {TO_SPEAK:?}"
            )));
        }
    }
    Ok((watch, accepted, said))
}

async fn are_in_flight_for_who_comes_late(bench: &Bench) -> Verdict {
    let (_early, accepted, heard) = speaking(bench).await?;
    let (mut late, _) = bench.watch(&accepted.worker_id).await?;
    let (_, in_flight) = late.past().await?;
    let Some(in_flight) = in_flight else {
        return Err(broken("a run has said something, and nothing is in flight"));
    };
    same("the run in flight", &in_flight.run_id, &accepted.run_id)?;
    // The run may have gone on speaking meanwhile.
    holds(in_flight.text.starts_with(&heard.text), || {
        format!(
            "{:?} was said, and in flight is {:?}",
            heard.text, in_flight.text
        )
    })?;
    let mut said = Said {
        text: in_flight.text,
        pieces: 0,
    };
    bench
        .cancel(&accepted.worker_id, &CancelRequest::default())
        .await?;
    for frame in late.until_finished().await? {
        said.take(&frame, &accepted.run_id)?;
    }
    holds(said.text.is_empty(), || {
        "the text in flight is in no entry".to_owned()
    })
}

async fn are_kept_when_the_run_is_cancelled(bench: &Bench) -> Verdict {
    let (mut watch, accepted, mut said) = speaking(bench).await?;
    bench
        .cancel(&accepted.worker_id, &CancelRequest::default())
        .await?;
    let rest = watch.until_finished().await?;
    for frame in &rest {
        said.take(frame, &accepted.run_id)?;
    }
    holds(said.text.is_empty(), || {
        format!("{:?} was said, and no entry has it", said.text)
    })?;
    let outcome = rest.last().and_then(event).and_then(|last| match last {
        Event::RunFinished { outcome, .. } => Some(*outcome),
        _ => None,
    });
    same("the outcome", outcome, Some(Outcome::Cancelled))
}
