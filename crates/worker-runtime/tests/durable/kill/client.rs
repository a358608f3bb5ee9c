//! Who creates Workers and commands them, one command after the other, and remembers everything.

use fastrand::Rng;
use serde_json::json;

use super::ledger::{Deed, Fate, Known, Operation};
use super::stage::Stage;
use crate::api::{Api, Command};

/// The longest content of an input, in bytes. In a store with bounds it is what fills it.
const SHORT: usize = 100;
const LONG: usize = 2400;
/// A Worker and an answer are never given up: in a store with bounds there are only so many.
const MOST_WORKERS: usize = 20;
const MOST_KEYS: u32 = 40;

/// What is sent next: to which of the client's Workers, and what.
type Next = (usize, Operation, Command);

/// One client; the Workers that it made are nobody else's.
pub(super) struct Client {
    name: String,
    is_bounded: bool,
    sent: u32,
    keys: u32,
    pub(super) workers: Vec<Known>,
}

impl Client {
    pub(super) fn new(number: usize, is_bounded: bool) -> Self {
        Self {
            name: format!("c{number}"),
            is_bounded,
            sent: 0,
            keys: 0,
            workers: Vec::new(),
        }
    }

    /// Commands for as long as anything is acknowledged.
    pub(super) async fn act(&mut self, stage: &Stage, round: u32, rng: &mut Rng) {
        while !stage.is_over() {
            let next = self.next(rng);
            let (known, fate) = self.send(stage, round, next).await;
            if fate == Fate::Doubtful {
                return;
            }
            let may_look = !known.is_slow && !known.cursors.is_empty();
            let is_refused = fate == Fate::Absent;
            if may_look && (is_refused || rng.bool()) {
                look(&stage.api, known).await;
            }
        }
    }

    /// Creates a Worker when nobody else does anything.
    pub(super) async fn act_last(&mut self, stage: &Stage, round: u32, rng: &mut Rng) {
        let create = self.create(rng);
        self.send(stage, round, create).await;
    }

    async fn send(&mut self, stage: &Stage, round: u32, next: Next) -> (&mut Known, Fate) {
        let (which, operation, command) = next;
        let said = stage.said();
        let fate = stage.send(&command).await;
        let known = &mut self.workers[which];
        known.note(Deed {
            round,
            said,
            operation,
            command,
            fate: fate.clone(),
            run_id: None,
        });
        (known, fate)
    }

    fn next(&mut self, rng: &mut Rng) -> Next {
        let open: Vec<usize> = (0..self.workers.len())
            .filter(|index| self.workers[*index].is_open())
            .collect();
        let is_full = self.is_bounded && self.workers.len() >= MOST_WORKERS;
        let Some(which) = rng.choice(&open).copied() else {
            return self.create(rng);
        };
        if !is_full && rng.u8(..10) == 0 {
            return self.create(rng);
        }
        let known = &self.workers[which];
        let is_active = known.active_run.is_some();
        // Of a store that is full, the last Workers stay.
        let may_stop = !is_full;
        let operation = match rng.u8(..16) {
            0 if may_stop => Operation::Stop,
            1 | 2 => Operation::Cancel,
            3..6 if is_active => Operation::Cancel,
            _ if is_active => return self.create_or_cancel(which, is_full, rng),
            _ => Operation::Input,
        };
        self.command(which, operation, rng)
    }

    /// A slow run is mostly left alone, so that it is there at the end.
    fn create_or_cancel(&mut self, which: usize, is_full: bool, rng: &mut Rng) -> Next {
        let others = |known: &Known| known.is_open() && known.active_run.is_none();
        match self.workers.iter().position(others) {
            Some(other) => self.command(other, Operation::Input, rng),
            None if is_full => self.command(which, Operation::Cancel, rng),
            None => self.create(rng),
        }
    }

    fn create(&mut self, rng: &mut Rng) -> Next {
        let number = self.workers.len();
        let name = format!("{}-w{number}", self.name);
        let is_slow = number % 4 == 1;
        let profile = if is_slow { "slow" } else { "echo" };
        let mut body = json!({"display_name": name, "profile": profile});
        if rng.bool() {
            body["worker_id"] = json!(name);
        }
        self.workers.push(Known {
            name,
            id: None,
            is_slow,
            deeds: Vec::new(),
            active_run: None,
            frames: Default::default(),
            cursors: Vec::new(),
        });
        let command = Command {
            path: "/v1/workers".to_owned(),
            body: body.to_string(),
            key: self.key(rng),
        };
        (number, Operation::Create, command)
    }

    fn command(&mut self, which: usize, operation: Operation, rng: &mut Rng) -> Next {
        self.sent += 1;
        let known = &self.workers[which];
        let (verb, body) = match operation {
            Operation::Create => return self.create(rng),
            Operation::Input => ("input", json!({"content": self.content(rng)})),
            Operation::Cancel => match &known.active_run {
                Some(run_id) if rng.bool() => ("cancel", json!({"run_id": run_id})),
                _ => ("cancel", json!({})),
            },
            Operation::Stop => (
                "stop",
                json!({"reason": format!("{}-{}", self.name, self.sent)}),
            ),
        };
        let path = format!("/v1/workers/{}/{verb}", known.id());
        let body = body.to_string();
        let key = self.key(rng);
        (which, operation, Command { path, body, key })
    }

    /// Something that nobody else says, and nobody says again.
    fn content(&self, rng: &mut Rng) -> String {
        let longest = if self.is_bounded { LONG } else { SHORT };
        let more = "-".repeat(rng.usize(..longest));
        format!("{}-{}{more}", self.name, self.sent)
    }

    fn key(&mut self, rng: &mut Rng) -> Option<String> {
        let is_full = self.is_bounded && self.keys >= MOST_KEYS;
        if is_full || rng.bool() {
            return None;
        }
        self.keys += 1;
        Some(format!("{}-k{}", self.name, self.keys))
    }
}

/// Watches what the last input led to, and remembers it.
pub(super) async fn look(api: &Api, known: &mut Known) {
    let Some((cursor, _)) = known.cursors.last().cloned() else {
        return;
    };
    // A stopped Worker has nothing more to say, and a process that is gone has not, either.
    let Ok(mut watch) = api.watch(known.id(), &cursor).await else {
        return;
    };
    while let Some(frame) = watch.next().await {
        let is_at_rest = frame.is_at_rest();
        known.saw(frame);
        if is_at_rest {
            return;
        }
    }
}
