//! What a Runtime should do, in the fewest words: no task, no store, no id of its own.

use std::collections::BTreeMap;

use yoi_protocol::{Code, Effect, Outcome, Role, WorkerStatus};

/// A Worker by its number; `w-0` is the id of the first.
pub(crate) type Number = u8;
/// A run by its place among all the runs that began.
pub(crate) type Run = usize;

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) workers: BTreeMap<Number, WorkerModel>,
    pub(crate) runs: usize,
    /// Every command that was answered under a key, with its body and its answer.
    keys: BTreeMap<(&'static str, Number, u8), (String, Told)>,
    /// The store cannot tell what it kept: no more commands until the next start.
    pub(crate) is_failed: bool,
    /// What the next start finds instead, where the store kept what it could not tell of.
    kept: Option<Box<Model>>,
    /// What the last command was answered.
    pub(crate) answer: Option<Result<Answer, Refusal>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerModel {
    pub(crate) events: Vec<Happened>,
    pub(crate) active: Option<Run>,
    pub(crate) last: Option<(Run, Outcome, Option<&'static str>)>,
    /// What the active run has said since its last entry.
    pub(crate) said: String,
    pub(crate) is_stopped: bool,
}

/// One event of a Worker's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Happened {
    Created,
    Told {
        sequence: u64,
        run: Run,
        content: String,
    },
    Began(Run),
    Became(WorkerStatus),
    Said {
        sequence: u64,
        role: Role,
        run: Run,
        content: String,
    },
    Ended(Run, Outcome, Option<String>),
    Over(Option<String>),
}

/// What a command is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) told: Told,
    pub(crate) is_replayed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Created,
    Accepted { run: Run, sequence: u64 },
    Cancelled(Option<Run>),
    Stopped,
}

/// Why it is refused, and what it did nevertheless.
pub(crate) type Refusal = (Code, Effect);

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A command, and how the store takes it.
    Command(Command, Store),
    Say(Number, String),
    EndEntry(Number),
    Entry(Number, Role, String),
    Complete(Number),
    Fail(Number),
    /// Ends the Runtime and starts the next on the same store.
    Restart {
        in_order: bool,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) worker: Number,
    pub(crate) key: Option<u8>,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Create { name: Option<String> },
    Input(String),
    Cancel(Whose),
    Stop(Option<String>),
}

/// The run that a cancel means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose {
    Any,
    /// The run with this number, of whichever Worker.
    Run(Run),
    /// A run that nobody has.
    Nobodys,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Well,
    /// It refuses the first record that the command leads to.
    Refuses,
    /// It cannot tell whether it kept that record; it did not.
    Uncertain,
    /// It cannot tell whether it kept that record; it did, as the next start shows.
    UncertainButKeeps,
}

impl WorkerModel {
    pub(crate) fn status(&self) -> WorkerStatus {
        match (self.is_stopped, self.active) {
            (true, _) => WorkerStatus::Stopped,
            (false, Some(_)) => WorkerStatus::Running,
            (false, None) => WorkerStatus::Idle,
        }
    }

    /// The entries of its transcript: who, in which run, what.
    pub(crate) fn transcript(&self) -> Vec<(Role, Run, String)> {
        let entry = |event: &Happened| match event {
            Happened::Told { run, content, .. } => Some((Role::User, *run, content.clone())),
            Happened::Said {
                role, run, content, ..
            } => Some((*role, *run, content.clone())),
            Happened::Created
            | Happened::Began(_)
            | Happened::Became(_)
            | Happened::Ended(..)
            | Happened::Over(_) => None,
        };
        self.events.iter().filter_map(entry).collect()
    }

    fn next_sequence(&self) -> u64 {
        self.transcript().len() as u64 + 1
    }

    pub(super) fn append(&mut self, role: Role, content: String) {
        let (sequence, run) = (self.next_sequence(), self.active.unwrap());
        self.events.push(Happened::Said {
            sequence,
            role,
            run,
            content,
        });
    }

    /// What was said so far becomes an entry.
    pub(super) fn end_entry(&mut self) {
        let said = std::mem::take(&mut self.said);
        if !said.is_empty() {
            self.append(Role::Assistant, said);
        }
    }

    pub(super) fn end_run(
        &mut self,
        outcome: Outcome,
        code: Option<&'static str>,
        stop: Option<Option<String>>,
    ) {
        let run = self.active.take().unwrap();
        self.events
            .push(Happened::Ended(run, outcome, code.map(str::to_owned)));
        self.last = Some((run, outcome, code));
        match stop {
            Some(reason) => self.stop(reason),
            None => self.events.push(Happened::Became(WorkerStatus::Idle)),
        }
    }

    fn stop(&mut self, reason: Option<String>) {
        self.is_stopped = true;
        self.events.push(Happened::Became(WorkerStatus::Stopped));
        self.events.push(Happened::Over(reason));
    }
}

impl Command {
    fn operation(&self) -> &'static str {
        match self.what {
            What::Create { .. } => "create",
            What::Input(_) => "input",
            What::Cancel(_) => "cancel",
            What::Stop(_) => "stop",
        }
    }

    /// Which answer a key of it stands for: keys of creates are the Runtime's.
    pub(crate) fn remembered(&self) -> Option<(&'static str, Number, u8)> {
        let scope = if matches!(self.what, What::Create { .. }) {
            Number::MAX
        } else {
            self.worker
        };
        self.key.map(|key| (self.operation(), scope, key))
    }

    /// Two commands with the same are the same.
    fn body(&self) -> String {
        match &self.what {
            What::Create { .. } => format!("{} {:?}", self.worker, self.what),
            What::Input(_) | What::Cancel(_) | What::Stop(_) => format!("{:?}", self.what),
        }
    }
}

impl Model {
    pub(super) fn answered(&mut self, command: &Command, store: Store) -> Result<Answer, Refusal> {
        if self.is_failed {
            return Err((Code::StoreFailed, Effect::None));
        }
        if let Some((body, told)) = command.remembered().and_then(|key| self.keys.get(&key)) {
            if *body != command.body() {
                return Err((Code::IdempotencyConflict, Effect::None));
            }
            return Ok(Answer {
                told: told.clone(),
                is_replayed: true,
            });
        }
        let before = (store == Store::UncertainButKeeps).then(|| Box::new(self.clone()));
        let told = match self.done(command, store) {
            Ok(told) => told,
            Err(refusal) => {
                if self.is_failed {
                    self.kept = before.map(|model| model.with(command));
                }
                return Err(refusal);
            }
        };
        if let Some(key) = command.remembered() {
            self.keys.insert(key, (command.body(), told.clone()));
        }
        Ok(Answer {
            told,
            is_replayed: false,
        })
    }

    /// What it had been if the store had taken the record of this command.
    fn with(mut self: Box<Self>, command: &Command) -> Box<Self> {
        let taken = self.answered(command, Store::Well);
        assert!(taken.is_ok(), "only the store was in its way: {taken:?}");
        self
    }

    /// What the store makes of the record of a command that has one.
    fn written(&mut self, store: Store) -> Result<(), Refusal> {
        match store {
            Store::Well => Ok(()),
            Store::Refuses => Err((Code::StoreFailed, Effect::None)),
            Store::Uncertain | Store::UncertainButKeeps => {
                self.is_failed = true;
                Err((Code::StoreFailed, Effect::Unknown))
            }
        }
    }

    fn done(&mut self, command: &Command, store: Store) -> Result<Told, Refusal> {
        let number = command.worker;
        let Some(worker) = self.workers.get(&number) else {
            return match command.what {
                What::Create { .. } => {
                    self.written(store)?;
                    let events = vec![Happened::Created];
                    self.workers.insert(
                        number,
                        WorkerModel {
                            events,
                            ..WorkerModel::default()
                        },
                    );
                    Ok(Told::Created)
                }
                What::Input(_) | What::Cancel(_) | What::Stop(_) => {
                    Err((Code::WorkerNotFound, Effect::None))
                }
            };
        };
        let (active, is_stopped) = (worker.active, worker.is_stopped);
        match &command.what {
            What::Create { .. } => Err((Code::WorkerAlreadyExists, Effect::None)),
            What::Input(_) if active.is_some() => Err((Code::WorkerBusy, Effect::None)),
            What::Input(_) if is_stopped => Err((Code::WorkerStopped, Effect::None)),
            What::Input(content) => {
                self.written(store)?;
                Ok(self.begin_run(number, content.clone()))
            }
            What::Cancel(whose) => {
                let is_meant = |run: &Run| match whose {
                    Whose::Any => true,
                    Whose::Run(meant) => run == meant,
                    Whose::Nobodys => false,
                };
                match active.filter(is_meant) {
                    Some(run) => self
                        .end(number, None, store)
                        .map(|()| Told::Cancelled(Some(run))),
                    None if command.key.is_none() => Ok(Told::Cancelled(None)),
                    None => self.written(store).map(|()| Told::Cancelled(None)),
                }
            }
            What::Stop(reason) if active.is_some() => self
                .end(number, Some(reason.clone()), store)
                .map(|()| Told::Stopped),
            What::Stop(_) if is_stopped && command.key.is_none() => Ok(Told::Stopped),
            What::Stop(reason) => {
                self.written(store)?;
                if !is_stopped {
                    self.worker(number).stop(reason.clone());
                }
                Ok(Told::Stopped)
            }
        }
    }

    fn begin_run(&mut self, number: Number, content: String) -> Told {
        let run = self.runs;
        self.runs += 1;
        let worker = self.worker(number);
        let sequence = worker.next_sequence();
        worker.active = Some(run);
        worker.events.extend([
            Happened::Told {
                sequence,
                run,
                content,
            },
            Happened::Began(run),
            Happened::Became(WorkerStatus::Running),
        ]);
        Told::Accepted { run, sequence }
    }

    /// The end of a run by a command. When the store refuses it, who asked is told so, and the run
    /// ends nevertheless, as soon as it can be written; its Worker lives on.
    fn end(
        &mut self,
        number: Number,
        stop: Option<Option<String>>,
        store: Store,
    ) -> Result<(), Refusal> {
        let worker = self.worker(number);
        worker.end_entry();
        let refused = store != Store::Well;
        worker.end_run(Outcome::Cancelled, None, stop.filter(|_| !refused));
        if refused {
            return Err((Code::StoreFailed, Effect::Unknown));
        }
        Ok(())
    }

    pub(super) fn worker(&mut self, number: Number) -> &mut WorkerModel {
        self.workers.get_mut(&number).unwrap()
    }

    pub(super) fn restart(&mut self, in_order: bool) {
        let is_recorded = in_order && !self.is_failed;
        if let Some(kept) = self.kept.take() {
            *self = *kept;
        }
        for worker in self
            .workers
            .values_mut()
            .filter(|worker| worker.active.is_some())
        {
            if is_recorded {
                worker.end_entry();
            }
            worker.said.clear();
            worker.end_run(Outcome::Failed, Some("interrupted"), None);
        }
        self.is_failed = false;
    }

    pub(super) fn is_running(&self, number: Number) -> bool {
        self.workers
            .get(&number)
            .is_some_and(|worker| worker.active.is_some())
    }
}
