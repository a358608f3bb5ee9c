//! What a run says, turned into deltas and events.

use yoi_protocol::{Diagnostic, Event, Role, Timestamp};

use super::Run;
use crate::error::RuntimeError;
use crate::executor::Said;
use crate::runtime::decide;
use crate::runtime::slot::{Live, Piece};

/// The longest message of a diagnostic, in bytes.
const MAX_DIAGNOSTIC_BYTES: usize = 8 * 1024;

impl Run {
    /// Takes one thing that the executor said. A run that said too much is heard no more, except
    /// for what is left of the diagnostics' own share; a write that fails ends the run.
    pub(super) async fn listen(&mut self, said: Said) {
        if self.is_unrecorded {
            return;
        }
        if let Err(error) = self.take(said).await {
            tracing::warn!(worker_id = %self.slot.log.worker_id, run_id = %self.run_id, %error,
                "a run ends because what it said was not recorded");
            self.is_unrecorded = true;
        }
    }

    async fn take(&mut self, said: Said) -> Result<(), RuntimeError> {
        let run_id = self.run_id.clone();
        match said {
            Said::Text(text) => {
                self.say(&text, Piece::Text);
                Ok(())
            }
            Said::Thinking(text) => {
                self.say(&text, Piece::Thinking);
                Ok(())
            }
            Said::ToolArguments { call_id, text } => {
                if self.is_known_call(&call_id) || self.budget.spend(call_id.len()) {
                    let call_id = call_id.as_str();
                    self.say(&text, |text| Piece::ToolArguments { call_id, text });
                }
                Ok(())
            }
            Said::ToolCallStarted { call_id, name } => {
                let bytes = call_id.len() + name.len();
                let event = Event::ToolCallStarted {
                    run_id,
                    call_id,
                    name,
                };
                self.record(bytes, event).await
            }
            Said::ToolCallFinished { call_id, arguments } => {
                // What was streamed is counted already.
                let bytes = arguments.len().saturating_sub(self.streamed(&call_id));
                let event = Event::ToolCallFinished {
                    run_id,
                    call_id,
                    arguments,
                };
                self.record(bytes, event).await
            }
            Said::ToolResult {
                call_id,
                ok,
                content,
            } => {
                let bytes = content.len();
                let event = Event::ToolResult {
                    run_id,
                    call_id,
                    ok,
                    content,
                };
                self.record(bytes, event).await
            }
            Said::Usage {
                input_tokens,
                output_tokens,
            } => {
                let event = Event::Usage {
                    run_id,
                    input_tokens,
                    output_tokens,
                };
                self.record(0, event).await
            }
            Said::Diagnostic(diagnostic) => {
                let diagnostic = bounded(diagnostic);
                let bytes = diagnostic.code.len() + diagnostic.message.len();
                if !self.budget.spend_diagnostic(bytes) {
                    return Ok(());
                }
                self.append(|_, _| vec![event_of(diagnostic)]).await
            }
            Said::EndEntry => {
                if !self.has_said_text() || !self.budget.spend_event(0) {
                    return Ok(());
                }
                self.append(|live, at| self.so_far(live, at).into_iter().collect())
                    .await
            }
            Said::Entry { role, content } => {
                if content.is_empty() || !self.budget.spend_event(0) {
                    return Ok(());
                }
                let content = self.budget.cut(&content).to_owned();
                if content.is_empty() {
                    return Ok(());
                }
                self.append(|live, at| self.with_entry(live, at, role, content))
                    .await
            }
        }
    }

    /// Publishes a piece, as much of it as may still be said.
    fn say<'a>(&mut self, text: &'a str, piece: impl FnOnce(&'a str) -> Piece<'a>) {
        let text = self.budget.cut(text);
        if !text.is_empty() {
            self.slot.say(piece(text));
        }
    }

    /// Commits one event, if that many bytes may still be said.
    async fn record(&mut self, bytes: usize, event: Event) -> Result<(), RuntimeError> {
        if self.budget.spend_event(bytes) {
            self.append(|_, _| vec![event]).await
        } else {
            Ok(())
        }
    }

    /// Commits what `events` makes of the Worker as it is now.
    async fn append(
        &self,
        events: impl FnOnce(&Live, Timestamp) -> Vec<Event>,
    ) -> Result<(), RuntimeError> {
        let _gate = self.slot.gate.lock().await;
        let at = self.inner.clock.now();
        let events = events(&self.slot.live(), at);
        if events.is_empty() {
            return Ok(());
        }
        let draft = self.inner.draft(&self.slot, at, events)?;
        self.inner.commit(&self.slot, draft, Vec::new()).await
    }

    /// The entry so far, if anything was said since the last one.
    fn so_far(&self, live: &Live, at: Timestamp) -> Option<Event> {
        let text = &live.said.as_ref()?.text;
        if text.is_empty() {
            return None;
        }
        let role = Role::Assistant;
        let entry = decide::entry(&live.state, role, text.clone(), &self.run_id, at);
        Some(Event::EntryAppended { entry })
    }

    /// The entry so far, and after it one that was not streamed.
    fn with_entry(&self, live: &Live, at: Timestamp, role: Role, content: String) -> Vec<Event> {
        let mut entry = decide::entry(&live.state, role, content, &self.run_id, at);
        let so_far = self.so_far(live, at);
        entry.sequence += u64::from(so_far.is_some());
        let whole = Event::EntryAppended { entry };
        so_far.into_iter().chain([whole]).collect()
    }

    fn has_said_text(&self) -> bool {
        let live = self.slot.live();
        live.said.as_ref().is_some_and(|said| !said.text.is_empty())
    }

    fn streamed(&self, call_id: &str) -> usize {
        let live = self.slot.live();
        let mut all = live.said.iter().flat_map(|said| &said.tool_arguments);
        all.find(|one| one.call_id == call_id)
            .map_or(0, |one| one.text.len())
    }

    fn is_known_call(&self, call_id: &str) -> bool {
        let live = self.slot.live();
        let mut all = live.said.iter().flat_map(|said| &said.tool_arguments);
        all.any(|one| one.call_id == call_id)
    }
}

fn bounded(mut diagnostic: Diagnostic) -> Diagnostic {
    let message = &mut diagnostic.message;
    if message.len() > MAX_DIAGNOSTIC_BYTES {
        let mut end = MAX_DIAGNOSTIC_BYTES;
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
    }
    diagnostic
}

fn event_of(diagnostic: Diagnostic) -> Event {
    Event::Diagnostic {
        severity: diagnostic.severity,
        code: diagnostic.code,
        message: diagnostic.message,
    }
}
