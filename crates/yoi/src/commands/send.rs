//! `yoi send`.

use std::io::Read;

use yoi_client::Client;
use yoi_protocol::{Control, Event, Frame, InputRequest, Outcome, Role, RunId};

use super::once::Once;
use super::workers_of;
use crate::args::SendArgs;
use crate::error::CliError;
use crate::feed::{Feed, json_line, of_the_link};
use crate::said::Said;
use crate::show::Screen;
use crate::target::Target;

/// The most that is read from standard input: far more than any Runtime takes.
const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// The text to send: the argument itself, or all of standard input for `-`.
pub(crate) fn content(text: &str, input: &mut dyn Read) -> Result<String, CliError> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::new();
    input.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        return Err(CliError::Usage(format!(
            "standard input has more than {MAX_INPUT_BYTES} bytes"
        )));
    }
    String::from_utf8(bytes)
        .map_err(|_| CliError::Usage("standard input is not UTF-8 text".to_owned()))
}

/// Sends an input; with `--follow` shows what the run says until it ends.
pub(crate) async fn send(
    client: &Client,
    args: &SendArgs,
    content: String,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let target = &args.target;
    let (workers, body) = (workers_of(client, target), InputRequest::new(content));
    let accepted = Once::new(args.key.clone())
        .send(async |call| workers.input(&target.worker_id, &body, &call).await)
        .await?;
    if !args.follow {
        screen.answer(&accepted, |accepted| {
            format!(
                "{} of {target} runs, from sequence {}",
                accepted.run_id, accepted.sequence
            )
        })?;
        return Ok(());
    }
    let feed = Feed::open(client, target, Some(accepted.cursor)).await?;
    follow(feed, &accepted.run_id, target, screen).await
}

/// Shows what a run says, verbatim, and fails unless it completes.
async fn follow(
    mut feed: Feed<'_>,
    run: &RunId,
    target: &Target,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let mut said = Said::default();
    let mut ends_line = true;
    while let Some(raw) = feed.next().await? {
        if screen.json {
            screen.line(&json_line(&raw))?;
        }
        let Ok(frame) = serde_json::from_str::<Frame>(&raw.to_text()) else {
            continue;
        };
        if !screen.json
            && let Frame::Control(control) = &frame
            && let Some(note) = of_the_link(&control.control)
        {
            screen.note(&note)?;
        }
        let fresh = spoken(&frame, run, &mut said);
        if !screen.json && !fresh.is_empty() {
            screen.piece(fresh)?;
            ends_line = fresh.ends_with('\n');
        }
        if let Some(outcome) = finished(frame, run) {
            if !ends_line {
                screen.piece("\n")?;
            }
            return outcome;
        }
    }
    Err(CliError::Server(format!(
        "{target} was stopped before the end of {run} was told"
    )))
}

/// What a frame adds to what the run has said.
fn spoken<'a>(frame: &'a Frame, run: &RunId, said: &mut Said) -> &'a str {
    match frame {
        Frame::Delta(delta) => match said.delta(&delta.delta) {
            Some((of, text)) if of == run => text,
            Some(_) | None => "",
        },
        Frame::Control(control) => match &control.control {
            Control::CaughtUp {
                in_flight: Some(in_flight),
            } if in_flight.run_id == *run => said.piece(run, 0, &in_flight.text),
            Control::CaughtUp { .. }
            | Control::UpstreamLost { .. }
            | Control::UpstreamRestored
            | Control::Unknown => "",
        },
        Frame::Event(event) => match &event.event {
            Event::EntryAppended { entry } if entry.run_id == *run => match entry.role {
                Role::Assistant => said.entry(run, &entry.content),
                Role::User | Role::System | Role::Tool => "",
            },
            _ => "",
        },
        Frame::Diagnostic(_) => "",
    }
}

/// How the run ended, when this frame says so.
fn finished(frame: Frame, run: &RunId) -> Option<Result<(), CliError>> {
    let Frame::Event(event) = frame else {
        return None;
    };
    match event.event {
        Event::RunFinished {
            run_id,
            outcome,
            error,
        } if run_id == *run => Some(match outcome {
            Outcome::Completed => Ok(()),
            Outcome::Cancelled => Err(CliError::Run(None)),
            Outcome::Failed => Err(CliError::Run(error.or_else(|| Some(unsaid())))),
        }),
        _ => None,
    }
}

fn unsaid() -> yoi_protocol::RunError {
    yoi_protocol::RunError {
        code: "failed".to_owned(),
        message: "no reason was given".to_owned(),
    }
}
