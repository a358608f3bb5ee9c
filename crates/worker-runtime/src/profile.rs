//! What a Worker can run, by a name that callers may use.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::executor::{CommandExecutor, CommandSettings, EchoExecutor, Executor};

/// An executor, as a profile offers it.
#[derive(Clone)]
pub struct ProfileSpec {
    /// What runs.
    pub executor: Arc<dyn Executor>,
    /// A sentence for people.
    pub description: Option<String>,
}

impl ProfileSpec {
    /// A profile without a description.
    #[must_use]
    pub fn new(executor: impl Executor + 'static) -> Self {
        Self {
            executor: Arc::new(executor),
            description: None,
        }
    }
}

impl fmt::Debug for ProfileSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileSpec")
            .field("executor", &self.executor.name())
            .field("description", &self.description)
            .finish()
    }
}

/// `[profiles.<name>]` of a configuration file.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfileConfig {
    /// `echo` or `command`.
    pub executor: String,
    /// `command`: the program, looked up in `PATH` when it has no slash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// `command`: its arguments, as they are. No shell sees them.
    pub args: Vec<String>,
    /// `command`: its environment. Nothing else is passed but `PATH`.
    pub env: BTreeMap<String, String>,
    /// `command`: the milliseconds between TERM and KILL; 2000 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_grace_ms: Option<u64>,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A profile that cannot be built. Names the key, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profiles.{profile}.{key} {rule}")]
pub struct ProfileError {
    /// The profile.
    pub profile: String,
    /// The key in it.
    pub key: &'static str,
    /// What it must be.
    pub rule: &'static str,
}

/// The longest `kill_grace_ms`: a cancel waits for it.
const MAX_KILL_GRACE_MS: u64 = 60_000;

impl ProfileConfig {
    /// The profile that this describes; `name` is only for the error.
    ///
    /// # Errors
    /// [`ProfileError`] for the first key that is missing or has no use. That a program does not
    /// exist is no error here: it may be installed later, and creating a Worker checks it.
    pub fn build(&self, name: &str) -> Result<ProfileSpec, ProfileError> {
        let fault = |key, rule| ProfileError {
            profile: name.to_owned(),
            key,
            rule,
        };
        let executor: Arc<dyn Executor> = match self.executor.as_str() {
            "echo" => {
                self.refuse_command_keys().map_err(|key| {
                    fault(key, "is only for profiles whose executor is \"command\"")
                })?;
                Arc::new(EchoExecutor)
            }
            "command" => Arc::new(CommandExecutor::new(
                self.command().map_err(|(key, rule)| fault(key, rule))?,
            )),
            _ => return Err(fault("executor", "must be \"echo\" or \"command\"")),
        };
        Ok(ProfileSpec {
            executor,
            description: self.description.clone(),
        })
    }

    fn refuse_command_keys(&self) -> Result<(), &'static str> {
        let used = [
            ("program", self.program.is_some()),
            ("args", !self.args.is_empty()),
            ("env", !self.env.is_empty()),
            ("kill_grace_ms", self.kill_grace_ms.is_some()),
        ];
        match used.iter().find(|(_, is_set)| *is_set) {
            Some((key, _)) => Err(key),
            None => Ok(()),
        }
    }

    fn command(&self) -> Result<CommandSettings, (&'static str, &'static str)> {
        let program = self.program.clone().unwrap_or_default();
        if program.is_empty() || program.contains('\0') {
            return Err(("program", "must name the program to run"));
        }
        if self.args.iter().any(|arg| arg.contains('\0')) {
            return Err(("args", "must not contain a NUL character"));
        }
        let is_bad_name = |name: &str| name.is_empty() || name.contains(['=', '\0']);
        if (self.env.iter()).any(|(name, value)| is_bad_name(name) || value.contains('\0')) {
            return Err(("env", "must map names without '=' to texts without NUL"));
        }
        let default_grace = CommandSettings::DEFAULT_KILL_GRACE;
        let kill_grace = self
            .kill_grace_ms
            .map_or(default_grace, Duration::from_millis);
        if kill_grace > Duration::from_millis(MAX_KILL_GRACE_MS) {
            return Err(("kill_grace_ms", "must be at most 60000"));
        }
        Ok(CommandSettings {
            program,
            args: self.args.clone(),
            env: self.env.clone(),
            kill_grace,
        })
    }
}

impl fmt::Debug for ProfileConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Programs, arguments and environments are where paths and credentials stand.
        f.debug_struct("ProfileConfig")
            .field("executor", &self.executor)
            .field("args", &self.args.len())
            .field("env", &self.env.len())
            .field("kill_grace_ms", &self.kill_grace_ms)
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}
