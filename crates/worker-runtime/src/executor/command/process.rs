//! One process, from its start to its end.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::unconstrained;
use tokio::time::Instant;
use yoi_protocol::{Diagnostic, Severity};

use super::CommandSettings;
use super::group::Group;
use super::pipe::{self, Tail, lock};
use crate::executor::utf8::Utf8Pieces;
use crate::executor::{RunContext, RunEnd, RunOutput};
use crate::until::until;

/// How long output may stay open after the program exited.
pub(super) const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// A process that runs. Dropping it kills its whole group.
pub(super) struct Process {
    group: Group,
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
}

/// Starts the program.
pub(super) fn spawn(settings: &CommandSettings, path: Option<&OsStr>) -> Result<Process, RunEnd> {
    let mut command = Command::new(&settings.program);
    command.args(&settings.args).env_clear();
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let spawned = command
        .envs(&settings.env)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let mut child = spawned.map_err(|error| spawn_failed(error.kind()))?;
    let group = child.id().and_then(Group::led_by);
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    match (group, pipes) {
        (Some(group), (Some(stdin), Some(stdout), Some(stderr))) => Ok(Process {
            group,
            child,
            stdin,
            stdout,
            stderr,
        }),
        _ => Err(spawn_failed(ErrorKind::Other)),
    }
}

fn spawn_failed(kind: ErrorKind) -> RunEnd {
    // The kind, not the error: an error's text may name a path.
    RunEnd::failed("spawn_failed", format!("the program did not start: {kind}"))
}

impl Process {
    /// Feeds it, streams what it says, and ends its group when the run is cancelled.
    pub(super) async fn run(self, run: RunContext, out: RunOutput, kill_grace: Duration) -> RunEnd {
        // Dropped in reverse: the group is killed before anything may reap its leader.
        let Self {
            mut child,
            group,
            stdin,
            stdout,
            stderr,
        } = self;
        let decoder = Mutex::new(Utf8Pieces::default());
        let tail = Mutex::new(Tail::default());
        let mut input = pin!(pipe::feed(stdin, run.input));
        let mut output = pin!(async {
            tokio::join!(
                pipe::stream(stdout, &decoder, &out),
                pipe::gather(stderr, &tail),
            );
        });
        let mut state = State::default();

        while !state.is_over() {
            let (kill_at, cut_at) = (state.kill_at(kill_grace), state.cut_at(kill_grace));
            // A program that floods its output can still be ended, and what is there is read
            // before it is cut off.
            tokio::select! {
                biased;
                status = child.wait(), if state.exited.is_none() => {
                    state.exited = Some((Instant::now(), status.ok()));
                }
                () = run.cancelled.cancelled(), if state.told_to_end.is_none() => {
                    group.terminate();
                    state.told_to_end = Some(Instant::now());
                }
                () = group.gone(), if state.waits_for_group() => state.group_ended = true,
                () = until(kill_at), if kill_at.is_some() && !state.killed => {
                    group.kill();
                    state.killed = true;
                }
                () = &mut output, if !state.output_ended => state.output_ended = true,
                () = &mut input, if !state.input_ended => state.input_ended = true,
                // Whatever the output leaves of this task's budget, this timer is looked at.
                () = unconstrained(until(cut_at)), if cut_at.is_some() && !state.output_ended => {
                    state.output_ended = true;
                    state.output_cut = true;
                }
            }
        }
        group.end();

        let rest = lock(&decoder).finish();
        if !rest.is_empty() {
            // Nobody listens to a run that said too much; it ends all the same.
            let _ = out.text(rest).await;
        }
        let end = state.end();
        let stderr = lock(&tail).text();
        report(stderr, state.output_cut, &end, &out).await;
        end
    }
}

/// How far a process has come.
#[derive(Debug, Default)]
struct State {
    exited: Option<(Instant, Option<ExitStatus>)>,
    told_to_end: Option<Instant>,
    input_ended: bool,
    output_ended: bool,
    output_cut: bool,
    group_ended: bool,
    killed: bool,
}

impl State {
    /// The program has exited, its output is closed or cut, and if the group was told to end, it
    /// is gone or killed.
    fn is_over(&self) -> bool {
        let group_is_done = self.told_to_end.is_none() || self.group_ended || self.killed;
        self.exited.is_some() && self.output_ended && group_is_done
    }

    fn waits_for_group(&self) -> bool {
        self.told_to_end.is_some() && self.exited.is_some() && !self.group_ended && !self.killed
    }

    fn kill_at(&self, grace: Duration) -> Option<Instant> {
        self.told_to_end.map(|at| at + grace)
    }

    /// A group that was told to end may speak until it is killed; then its output is cut too.
    fn cut_at(&self, grace: Duration) -> Option<Instant> {
        let (exited, _) = self.exited?;
        let from = self.kill_at(grace).map_or(exited, |kill| kill.max(exited));
        Some(from + OUTPUT_GRACE)
    }

    fn end(&self) -> RunEnd {
        if self.told_to_end.is_some() {
            return RunEnd::Cancelled;
        }
        match self.exited.and_then(|(_, status)| status) {
            Some(status) if status.success() => RunEnd::Completed,
            Some(status) => RunEnd::failed("exit_status", describe(status)),
            None => RunEnd::failed("exit_status", "the program's status is not known"),
        }
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("the program exited with status {code}"),
        (None, Some(signal)) => format!("the program was ended by signal {signal}"),
        (None, None) => "the program ended without a status".to_owned(),
    }
}

/// Says what an observer should know. Nobody listening is no reason to end differently.
async fn report(stderr: Option<String>, output_cut: bool, end: &RunEnd, out: &RunOutput) {
    if let Some(message) = stderr {
        let severity = match end {
            RunEnd::Completed | RunEnd::Cancelled => Severity::Info,
            RunEnd::Failed(_) => Severity::Warning,
        };
        let code = "stderr".to_owned();
        let diagnostic = Diagnostic {
            severity,
            code,
            message,
        };
        let _ = out.diagnostic(diagnostic).await;
    }
    if output_cut {
        let diagnostic = Diagnostic {
            severity: Severity::Warning,
            code: "output_cut".to_owned(),
            message: "the output was still open 1 s after the program had exited".to_owned(),
        };
        let _ = out.diagnostic(diagnostic).await;
    }
}
