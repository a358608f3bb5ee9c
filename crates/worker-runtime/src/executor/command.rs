//! The executor that runs a program.

mod group;
mod pipe;
mod process;
mod program;
mod recent;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use recent::Recent;

use super::{Executor, ExecutorUnavailable, RunContext, RunFuture, RunOutput};

/// What a [`CommandExecutor`] runs. Comes from the operator's configuration, never from a caller.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandSettings {
    /// The program, looked up in `PATH` when it has no slash.
    pub program: String,
    /// Its arguments, as they are.
    pub args: Vec<String>,
    /// Its environment, beside `PATH`.
    pub env: BTreeMap<String, String>,
    /// The time between TERM and KILL.
    pub kill_grace: Duration,
}

impl CommandSettings {
    /// The time between TERM and KILL when the configuration does not say.
    pub const DEFAULT_KILL_GRACE: Duration = Duration::from_secs(2);
}

impl fmt::Debug for CommandSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is where paths and credentials stand.
        f.debug_struct("CommandSettings")
            .field("args", &self.args.len())
            .field("env", &self.env.len())
            .field("kill_grace", &self.kill_grace)
            .finish_non_exhaustive()
    }
}

/// Runs one process a run, in a process group of its own, never through a shell.
///
/// The input's content is its standard input, then end of file. Its standard output is the
/// answer, streamed as UTF-8 as it comes; what is not UTF-8 becomes U+FFFD. The last 8 KiB of its
/// standard error become a `diagnostic` of code `stderr`. Status 0 completes the run, another
/// fails it with `exit_status`, a program that cannot be started with `spawn_failed`.
///
/// To end a run, its group gets TERM, and KILL when it is still there after the grace time.
/// Nothing of the group outlives its run; a process that left the group is not followed. Output
/// that is still open 1 s after the program exited is cut, with a diagnostic `output_cut`.
///
/// The environment is the profile's, and `PATH`.
#[derive(Debug, Clone)]
pub struct CommandExecutor {
    settings: Arc<CommandSettings>,
    path: Option<OsString>,
    is_installed: Arc<Recent<bool>>,
}

impl CommandExecutor {
    /// An executor for these settings. `PATH` is taken from this process now, unless the settings
    /// have one.
    #[must_use]
    pub fn new(settings: CommandSettings) -> Self {
        let path = match settings.env.get("PATH") {
            Some(path) => Some(OsString::from(path)),
            None => std::env::var_os("PATH"),
        };
        let settings = Arc::new(settings);
        let is_installed = Arc::default();
        Self {
            settings,
            path,
            is_installed,
        }
    }
}

impl Executor for CommandExecutor {
    fn name(&self) -> &'static str {
        "command"
    }

    fn check(&self) -> Result<(), ExecutorUnavailable> {
        let look = || program::exists(&self.settings.program, self.path.as_deref());
        if self.is_installed.get(look) {
            Ok(())
        } else {
            Err(ExecutorUnavailable("its program is not installed"))
        }
    }

    fn cancel_grace(&self) -> Duration {
        // The group gets its grace, what left it gets its output cut a second later, and a loaded
        // machine gets a moment.
        self.settings.kill_grace + process::OUTPUT_GRACE + Duration::from_secs(1)
    }

    fn run(&self, run: RunContext, out: RunOutput) -> RunFuture {
        let settings = Arc::clone(&self.settings);
        let path = self.path.clone();
        Box::pin(async move {
            match process::spawn(&settings, path.as_deref()) {
                Ok(process) => process.run(run, out, settings.kill_grace).await,
                Err(end) => end,
            }
        })
    }
}
