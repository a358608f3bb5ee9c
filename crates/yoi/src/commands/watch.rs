//! `yoi watch`.

use yoi_client::Client;
use yoi_protocol::{
    Control, Delta, Entry, Event, Frame, Outcome, Role, RunError, RunId, Severity, Worker,
};

use super::transcript::role_name;
use crate::args::WatchArgs;
use crate::error::CliError;
use crate::feed::{Feed, json_line, of_the_link};
use crate::said::Said;
use crate::show::Screen;

/// Shows what a Worker does until it is stopped.
pub(crate) async fn watch(
    client: &Client,
    args: &WatchArgs,
    screen: &mut Screen<'_>,
) -> Result<(), CliError> {
    let mut feed = Feed::open(client, &args.target, args.cursor.clone()).await?;
    let mut teller = Teller::default();
    while let Some(raw) = feed.next().await? {
        if screen.json {
            screen.line(&json_line(&raw))?;
        } else if let Ok(frame) = serde_json::from_str::<Frame>(&raw.to_text()) {
            teller.tell(&frame, screen)?;
        }
    }
    Ok(())
}

/// Tells frames to people: each event a line, what is being said as it comes.
#[derive(Default)]
struct Teller {
    said: Said,
    /// Whether the line of something that is being said is open.
    open: bool,
}

impl Teller {
    fn tell(&mut self, frame: &Frame, screen: &mut Screen<'_>) -> Result<(), CliError> {
        match frame {
            Frame::Event(frame) => self.event(&frame.event, screen),
            Frame::Delta(frame) => self.delta(&frame.delta, screen),
            Frame::Control(frame) => self.control(&frame.control, screen),
            Frame::Diagnostic(frame) => {
                let told = &frame.diagnostic;
                self.line(&format!("* {}: {}", told.code, told.message), screen)
            }
        }
    }

    fn event(&mut self, event: &Event, screen: &mut Screen<'_>) -> Result<(), CliError> {
        match event {
            Event::Snapshot {
                worker, transcript, ..
            } => {
                self.line(&snapshot(worker), screen)?;
                transcript
                    .iter()
                    .try_for_each(|entry| self.line(&entry_line(entry), screen))
            }
            Event::InputAccepted { entry } => self.line(&entry_line(entry), screen),
            Event::EntryAppended { entry } => self.entry(entry, screen),
            Event::RunStarted { run_id } => self.line(&format!("* {run_id} started"), screen),
            Event::RunFinished {
                run_id,
                outcome,
                error,
            } => self.line(&end_of_run(run_id, *outcome, error.as_ref()), screen),
            Event::StatusChanged { status } => self.line(&format!("* {}", status.as_str()), screen),
            Event::ToolCallStarted { name, .. } => {
                self.line(&format!("* uses the tool {name}"), screen)
            }
            Event::ToolCallFinished { arguments, .. } => {
                self.line(&format!("* with {arguments}"), screen)
            }
            Event::ToolResult { ok, content, .. } => {
                let how = if *ok { "answered" } else { "failed" };
                self.line(&format!("* the tool {how}: {content}"), screen)
            }
            Event::Usage {
                input_tokens,
                output_tokens,
                ..
            } => {
                let [read, written] = [input_tokens, output_tokens].map(|n| n.unwrap_or(0));
                self.line(&format!("* {read} tokens read, {written} written"), screen)
            }
            Event::WorkerStopped { reason } => {
                let why = reason
                    .as_deref()
                    .map_or(String::new(), |why| format!(": {why}"));
                self.line(&format!("* stopped for good{why}"), screen)
            }
            Event::Diagnostic {
                severity,
                code,
                message,
            } => {
                let severity = match severity {
                    Severity::Info => "info",
                    Severity::Warning => "warning",
                    Severity::Error => "error",
                };
                self.line(&format!("* {severity} {code}: {message}"), screen)
            }
            Event::Unknown(event) => self.line(&format!("* {}", event.event_type), screen),
        }
    }

    /// Goes on with what is being said, on a line of its own.
    fn delta(&mut self, delta: &Delta, screen: &mut Screen<'_>) -> Result<(), CliError> {
        match self.said.delta(delta) {
            Some((_, text)) => self.say(text, screen),
            None => Ok(()),
        }
    }

    fn control(&mut self, control: &Control, screen: &mut Screen<'_>) -> Result<(), CliError> {
        match control {
            Control::CaughtUp {
                in_flight: Some(in_flight),
            } => {
                let text = self.said.piece(&in_flight.run_id, 0, &in_flight.text);
                self.say(text, screen)
            }
            control => match of_the_link(control) {
                Some(note) => self.line(&note, screen),
                None => Ok(()),
            },
        }
    }

    fn entry(&mut self, entry: &Entry, screen: &mut Screen<'_>) -> Result<(), CliError> {
        if entry.role != Role::Assistant {
            return self.line(&entry_line(entry), screen);
        }
        let rest = self.said.entry(&entry.run_id, &entry.content);
        self.say(rest, screen)?;
        self.close(screen)
    }

    fn say(&mut self, text: &str, screen: &mut Screen<'_>) -> Result<(), CliError> {
        if text.is_empty() {
            return Ok(());
        }
        if !self.open {
            screen.piece(&format!("{}> ", role_name(Role::Assistant)))?;
            self.open = true;
        }
        Ok(screen.piece(text)?)
    }

    fn close(&mut self, screen: &mut Screen<'_>) -> Result<(), CliError> {
        if std::mem::take(&mut self.open) {
            screen.piece("\n")?;
        }
        Ok(())
    }

    fn line(&mut self, text: &str, screen: &mut Screen<'_>) -> Result<(), CliError> {
        self.close(screen)?;
        Ok(screen.line(text)?)
    }
}

fn entry_line(entry: &Entry) -> String {
    let content = if entry.redacted {
        "(redacted)"
    } else {
        entry.content.trim_end_matches('\n')
    };
    format!("{}> {content}", role_name(entry.role))
}

fn snapshot(worker: &Worker) -> String {
    format!(
        "* {}/{} is {}, {} entries",
        worker.runtime_id,
        worker.worker_id,
        worker.status.as_str(),
        worker.transcript_length
    )
}

fn end_of_run(run: &RunId, outcome: Outcome, error: Option<&RunError>) -> String {
    let how = match outcome {
        Outcome::Completed => "completed",
        Outcome::Cancelled => "cancelled",
        Outcome::Failed => "failed",
    };
    match error {
        Some(error) => format!("* {run} {how}: {}: {}", error.code, error.message),
        None => format!("* {run} {how}"),
    }
}
