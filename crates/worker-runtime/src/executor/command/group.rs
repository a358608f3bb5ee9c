//! A process group, ended as a whole.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// How often to look whether a group is gone: nothing tells of the end of a grandchild.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The process group of one run. Dropping it kills what is left of the group.
#[derive(Debug)]
pub(super) struct Group {
    leader: Pid,
    is_over: bool,
}

impl Group {
    /// The group that the process `leader` leads.
    pub(super) fn led_by(leader: u32) -> Option<Self> {
        let leader = Pid::from_raw(i32::try_from(leader).ok()?)?;
        Some(Self {
            leader,
            is_over: false,
        })
    }

    /// Asks every process of the group to end.
    pub(super) fn terminate(&self) {
        // An error means that nobody is left.
        let _ = kill_process_group(self.leader, Signal::TERM);
    }

    /// Ends every process of the group.
    pub(super) fn kill(&self) {
        let _ = kill_process_group(self.leader, Signal::KILL);
    }

    /// Waits until no process of the group is left.
    pub(super) async fn gone(&self) {
        while test_kill_process_group(self.leader).is_ok() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Ends what is left of the group, and lets go of it: its number may soon be another's.
    pub(super) fn end(mut self) {
        self.kill();
        self.is_over = true;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_over {
            self.kill();
        }
    }
}
