//! The network of a run, and what goes wrong on it.

use std::time::Duration;

use turmoil::Sim;
use worker_runtime::StoreError;

use super::ledger::Ledger;
use super::plan::{Plan, Trouble, What};
use super::world::{Machine, Place, backend};

/// The machines of a run, and the links between them.
pub(crate) struct Network<'a> {
    sim: Sim<'a>,
    plan: &'a Plan,
    machines: &'a [Machine],
    backends: &'a [Place],
    people: &'a [String],
    /// What is down, and when it comes back.
    down: Vec<(Duration, Host)>,
}

/// A machine with a server.
#[derive(Debug, Clone, Copy)]
enum Host {
    Runtime(usize),
    Backend(usize),
}

impl<'a> Network<'a> {
    pub(crate) fn new(
        sim: Sim<'a>,
        plan: &'a Plan,
        machines: &'a [Machine],
        backends: &'a [Place],
        people: &'a [String],
    ) -> Self {
        Self {
            sim,
            plan,
            machines,
            backends,
            people,
            down: Vec::new(),
        }
    }

    /// Lets time pass until everybody is done, and troubles begin and end.
    pub(crate) fn run(mut self, ledger: &Ledger) {
        let troubles = self.plan.troubles.iter();
        let mut changes: Vec<(Duration, bool, &Trouble)> = troubles
            .flat_map(|trouble| [(trouble.at, true, trouble), (trouble.until, false, trouble)])
            .collect();
        changes.sort_by_key(|(at, begins, _)| (*at, *begins));
        let mut changes = changes.into_iter().peekable();
        loop {
            let now = self.sim.elapsed();
            while let Some((at, begins, trouble)) = changes.next_if(|(at, ..)| *at <= now) {
                let verb = if begins { "begins" } else { "ends" };
                ledger.trace(
                    "network",
                    format_args!("{verb} at {at:?}: {:?}", trouble.what),
                );
                if begins {
                    self.begins(trouble);
                } else {
                    self.ends(&trouble.what);
                }
            }
            self.come_back(now);
            match self.sim.step() {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => panic!("seed {}: {error}\n{}", self.plan.seed, ledger.last()),
            }
        }
    }

    fn begins(&mut self, trouble: &Trouble) {
        match trouble.what {
            What::Partition { backend, runtime } => {
                let (one, other) = self.link(backend, runtime);
                self.sim.partition(one, other);
            }
            What::Deaf { backend, runtime } => {
                let (one, other) = self.link(backend, runtime);
                self.sim.partition_oneway(one, other);
            }
            What::Mute { backend, runtime } => {
                let (one, other) = self.link(backend, runtime);
                self.sim.partition_oneway(other, one);
            }
            What::Hold { backend, runtime } => {
                let (one, other) = self.link(backend, runtime);
                self.sim.hold(one, other);
            }
            What::Slow { backend, runtime } => self.latency(backend, runtime, 20),
            What::RuntimeDies { runtime } => self.dies(Host::Runtime(runtime), trouble.until),
            What::BackendDies { backend } => self.dies(Host::Backend(backend), trouble.until),
            What::RuntimeEnds { runtime } => {
                self.machines[runtime].place.ends();
                self.down.push((trouble.until, Host::Runtime(runtime)));
            }
            What::BackendEnds { backend } => {
                self.backends[backend].ends();
                self.down.push((trouble.until, Host::Backend(backend)));
            }
            What::ClockJumps { runtime, seconds } => self.machines[runtime].clock.jump(seconds),
            What::DiskFull { runtime } => {
                let store = &self.machines[runtime].store;
                store.fail(StoreError::Refused("the disk is full"));
            }
        }
    }

    fn ends(&self, what: &What) {
        match *what {
            What::Partition { backend, runtime }
            | What::Deaf { backend, runtime }
            | What::Mute { backend, runtime } => {
                let (one, other) = self.link(backend, runtime);
                self.sim.repair(one, other);
            }
            What::Hold { backend, runtime } => {
                let (one, other) = self.link(backend, runtime);
                self.sim.release(one, other);
            }
            What::Slow { backend, runtime } => self.latency(backend, runtime, 1),
            What::ClockJumps { runtime, .. } => self.machines[runtime].clock.jump(0),
            What::DiskFull { runtime } => self.machines[runtime].store.heal(),
            // They come back by themselves.
            What::RuntimeDies { .. }
            | What::BackendDies { .. }
            | What::RuntimeEnds { .. }
            | What::BackendEnds { .. } => {}
        }
    }

    fn link(&self, number: usize, runtime: usize) -> (String, String) {
        (backend(number), self.machines[runtime].name.clone())
    }

    fn latency(&self, backend: usize, runtime: usize, times: u32) {
        let (one, other) = self.link(backend, runtime);
        let latency = self.plan.latency * times;
        self.sim.set_link_max_message_latency(one, other, latency);
    }

    /// Takes a machine its power. Nobody is told: connections of the dead say no goodbye, in an
    /// order that would be another each time.
    fn dies(&mut self, host: Host, until: Duration) {
        let name = self.name(host);
        if self.sim.is_host_running(name.clone()) {
            for peer in self.peers(host) {
                self.sim.partition(name.clone(), peer);
            }
            self.sim.crash(name);
        }
        self.down.push((until, host));
    }

    /// Starts again what has been down for long enough.
    fn come_back(&mut self, now: Duration) {
        for (until, host) in std::mem::take(&mut self.down) {
            let name = self.name(host);
            if until > now {
                self.down.push((until, host));
            } else if !self.sim.is_host_running(name.clone()) {
                for peer in self.peers(host) {
                    self.sim.repair(name.clone(), peer);
                }
                self.sim.bounce(name);
            } else if self.place(host).is_ending() {
                // It takes its time to end.
                self.down.push((until, host));
            }
        }
    }

    fn name(&self, host: Host) -> String {
        match host {
            Host::Runtime(number) => self.machines[number].name.clone(),
            Host::Backend(number) => backend(number),
        }
    }

    fn place(&self, host: Host) -> &Place {
        match host {
            Host::Runtime(number) => &self.machines[number].place,
            Host::Backend(number) => &self.backends[number],
        }
    }

    /// Whoever speaks with a machine.
    fn peers(&self, host: Host) -> Vec<String> {
        match host {
            Host::Runtime(_) => (0..self.backends.len()).map(backend).collect(),
            Host::Backend(_) => {
                let machines = self.machines.iter().map(|machine| machine.name.clone());
                machines.chain(self.people.iter().cloned()).collect()
            }
        }
    }
}
