//! What an executor says, on its way to the run loop.

use tokio::sync::mpsc;
use yoi_protocol::{Diagnostic, Role};

/// How many things an executor may say ahead of the run loop.
const AHEAD: usize = 16;

/// One thing that an executor said.
#[derive(Debug)]
pub(crate) enum Said {
    Text(String),
    Thinking(String),
    ToolCallStarted {
        call_id: String,
        name: String,
    },
    ToolArguments {
        call_id: String,
        text: String,
    },
    ToolCallFinished {
        call_id: String,
        arguments: String,
    },
    ToolResult {
        call_id: String,
        ok: bool,
        content: String,
    },
    Usage {
        input_tokens: Option<u64>,
        output_tokens: Option<u64>,
    },
    Diagnostic(Diagnostic),
    EndEntry,
    Entry {
        role: Role,
        content: String,
    },
}

pub(crate) fn channel() -> (RunOutput, mpsc::Receiver<Said>) {
    let (sender, receiver) = mpsc::channel(AHEAD);
    (RunOutput { sender }, receiver)
}

/// Nobody listens to the run any more: it said too much, or it is over. The executor ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run takes no more output")]
pub struct OutputClosed;

/// Where an executor puts what its run says.
///
/// Each method waits while the Runtime is behind: that is the back-pressure. What is said is seen
/// in the order it was said. Text, thinking and tool arguments are streamed as deltas and
/// gathered; [`RunOutput::end_entry`], or the end of the run, makes one entry of the text.
#[derive(Debug, Clone)]
pub struct RunOutput {
    sender: mpsc::Sender<Said>,
}

impl RunOutput {
    /// The next piece of the answer.
    ///
    /// # Errors
    /// [`OutputClosed`], as with every method here.
    pub async fn text(&self, piece: impl Into<String>) -> Result<(), OutputClosed> {
        self.say(Said::Text(piece.into())).await
    }

    /// The next piece of the thinking.
    ///
    /// # Errors
    /// [`OutputClosed`].
    pub async fn thinking(&self, piece: impl Into<String>) -> Result<(), OutputClosed> {
        self.say(Said::Thinking(piece.into())).await
    }

    /// The Worker begins to use a tool.
    ///
    /// # Errors
    /// [`OutputClosed`].
    pub async fn tool_call_started(
        &self,
        call_id: impl Into<String>,
        name: impl Into<String>,
    ) -> Result<(), OutputClosed> {
        let (call_id, name) = (call_id.into(), name.into());
        self.say(Said::ToolCallStarted { call_id, name }).await
    }

    /// The next piece of what the Worker wants of a tool.
    ///
    /// # Errors
    /// [`OutputClosed`].
    pub async fn tool_arguments(
        &self,
        call_id: impl Into<String>,
        piece: impl Into<String>,
    ) -> Result<(), OutputClosed> {
        let (call_id, text) = (call_id.into(), piece.into());
        self.say(Said::ToolArguments { call_id, text }).await
    }

    /// The Worker has said what it wants of a tool: here it is, whole.
    ///
    /// # Errors
    /// [`OutputClosed`].
    pub async fn tool_call_finished(
        &self,
        call_id: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Result<(), OutputClosed> {
        let (call_id, arguments) = (call_id.into(), arguments.into());
        self.say(Said::ToolCallFinished { call_id, arguments })
            .await
    }

    /// A tool has answered.
    ///
    /// # Errors
    /// [`OutputClosed`].
    pub async fn tool_result(
        &self,
        call_id: impl Into<String>,
        ok: bool,
        content: impl Into<String>,
    ) -> Result<(), OutputClosed> {
        let (call_id, content) = (call_id.into(), content.into());
        self.say(Said::ToolResult {
            call_id,
            ok,
            content,
        })
        .await
    }

    /// What the run has used so far.
    ///
    /// # Errors
    /// [`OutputClosed`].
    pub async fn usage(
        &self,
        input_tokens: Option<u64>,
        output_tokens: Option<u64>,
    ) -> Result<(), OutputClosed> {
        self.say(Said::Usage {
            input_tokens,
            output_tokens,
        })
        .await
    }

    /// Something that an observer should know. The message is cut at 8 KiB. The first 64 KiB of
    /// them are free, so they are taken even from a run that said too much, while it ends; beyond
    /// that they count like everything else that a run says.
    ///
    /// # Errors
    /// [`OutputClosed`].
    pub async fn diagnostic(&self, diagnostic: Diagnostic) -> Result<(), OutputClosed> {
        self.say(Said::Diagnostic(diagnostic)).await
    }

    /// Makes one entry of the assistant's of the text since the last entry; nothing if there is
    /// none.
    ///
    /// # Errors
    /// [`OutputClosed`].
    pub async fn end_entry(&self) -> Result<(), OutputClosed> {
        self.say(Said::EndEntry).await
    }

    /// Ends the entry so far, and appends a whole one that was not streamed.
    ///
    /// # Errors
    /// [`OutputClosed`].
    pub async fn entry(&self, role: Role, content: impl Into<String>) -> Result<(), OutputClosed> {
        let content = content.into();
        self.say(Said::Entry { role, content }).await
    }

    async fn say(&self, said: Said) -> Result<(), OutputClosed> {
        self.sender.send(said).await.map_err(|_| OutputClosed)
    }
}
