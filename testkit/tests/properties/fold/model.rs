//! What a Runtime should do, in the fewest words: no task, no store, no id of its own.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;
use yoi_protocol::{Code, Effect, Outcome, Role, WorkerStatus};

/// A Worker by its number; `w-0` is the id of the first.
pub(crate) type Number = u8;
/// A run by its place among all the runs that began.
pub(crate) type Run = usize;

/// How many Workers there are at most.
const WORKERS: Number = 2;

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) workers: BTreeMap<Number, WorkerModel>,
    pub(crate) runs: usize,
    /// Every command that was answered under a key, with its body and its answer.
    keys: BTreeMap<(&'static str, Number, u8), (String, Told)>,
    /// The store cannot tell what it kept: no more commands until the next start.
    pub(crate) is_failed: bool,
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

    fn append(&mut self, role: Role, content: String) {
        let (sequence, run) = (self.next_sequence(), self.active.unwrap());
        self.events.push(Happened::Said {
            sequence,
            role,
            run,
            content,
        });
    }

    /// What was said so far becomes an entry.
    fn end_entry(&mut self) {
        let said = std::mem::take(&mut self.said);
        if !said.is_empty() {
            self.append(Role::Assistant, said);
        }
    }

    fn end_run(
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
    fn answered(&mut self, command: &Command, store: Store) -> Result<Answer, Refusal> {
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
        let told = self.done(command, store)?;
        if let Some(key) = command.remembered() {
            self.keys.insert(key, (command.body(), told.clone()));
        }
        Ok(Answer {
            told,
            is_replayed: false,
        })
    }

    /// What the store makes of the record of a command that has one.
    fn written(&mut self, store: Store) -> Result<(), Refusal> {
        match store {
            Store::Well => Ok(()),
            Store::Refuses => Err((Code::StoreFailed, Effect::None)),
            Store::Uncertain => {
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

    fn worker(&mut self, number: Number) -> &mut WorkerModel {
        self.workers.get_mut(&number).unwrap()
    }

    fn restart(&mut self, in_order: bool) {
        let is_recorded = in_order && !self.is_failed;
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

    fn is_running(&self, number: Number) -> bool {
        self.workers
            .get(&number)
            .is_some_and(|worker| worker.active.is_some())
    }
}

/// The code of a run that its executor let fail.
pub(crate) const FAILED: &str = "out_of_words";

fn command(runs: usize) -> impl Strategy<Value = Command> {
    let whose = match runs.checked_sub(1) {
        None => select(vec![Whose::Any, Whose::Nobodys]),
        Some(last) => {
            let latest = [Whose::Run(last), Whose::Run(last.saturating_sub(1))];
            select([&latest[..], &[Whose::Any, Whose::Any, Whose::Nobodys]].concat())
        }
    };
    // Few texts, so that a key comes with the same body again.
    let what = prop_oneof![
        2 => select(vec![None, Some("a".to_owned())]).prop_map(|name| What::Create { name }),
        5 => "[ab\u{1F980}]{0,2}".prop_map(What::Input),
        2 => whose.prop_map(What::Cancel),
        1 => select(vec![None, Some("enough".to_owned())]).prop_map(What::Stop),
    ];
    let key = prop_oneof![2 => Just(None), 1 => (0..3_u8).prop_map(Some)];
    (0..WORKERS, key, what).prop_map(|(worker, key, what)| Command { worker, key, what })
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(model: &Self) -> BoxedStrategy<Step> {
        let store = prop_oneof![
            12 => Just(Store::Well),
            2 => Just(Store::Refuses),
            1 => Just(Store::Uncertain),
        ];
        let commands =
            (command(model.runs), store).prop_map(|(command, store)| Step::Command(command, store));
        let restart = any::<bool>().prop_map(|in_order| Step::Restart { in_order });
        if model.is_failed {
            return prop_oneof![1 => commands, 1 => restart].boxed();
        }
        let running = model
            .workers
            .iter()
            .filter(|(_, worker)| worker.active.is_some());
        let running: Vec<Number> = running.map(|(number, _)| *number).collect();
        if running.is_empty() {
            return prop_oneof![12 => commands, 1 => restart].boxed();
        }
        let running = select(running);
        let piece = "[xy\u{E9}\u{1F980}]{1,3}";
        let role = select(vec![Role::Assistant, Role::Tool, Role::System]);
        prop_oneof![
            8 => commands,
            6 => (running.clone(), piece).prop_map(|(number, piece)| Step::Say(number, piece)),
            2 => running.clone().prop_map(Step::EndEntry),
            2 => (running.clone(), role, piece)
                .prop_map(|(number, role, piece)| Step::Entry(number, role, piece)),
            2 => running.clone().prop_map(Step::Complete),
            1 => running.prop_map(Step::Fail),
            1 => restart,
        ]
        .boxed()
    }

    /// What only a run can do needs one that is heard.
    fn preconditions(model: &Self, step: &Step) -> bool {
        match step {
            // Shrinking may take away the run that is meant.
            Step::Command(
                Command {
                    what: What::Cancel(Whose::Run(run)),
                    ..
                },
                _,
            ) if *run >= model.runs => false,
            Step::Command(command, Store::Uncertain) => {
                // What becomes of the run then is not decided before the next start.
                let ends = matches!(command.what, What::Cancel(_) | What::Stop(_));
                !(ends && model.is_running(command.worker))
            }
            Step::Command(..) | Step::Restart { .. } => true,
            Step::Say(number, _)
            | Step::EndEntry(number)
            | Step::Entry(number, ..)
            | Step::Complete(number)
            | Step::Fail(number) => !model.is_failed && model.is_running(*number),
        }
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        match step {
            Step::Command(command, store) => {
                model.answer = Some(model.answered(command, *store));
            }
            Step::Say(number, piece) => model.worker(*number).said.push_str(piece),
            Step::EndEntry(number) => model.worker(*number).end_entry(),
            Step::Entry(number, role, content) => {
                let worker = model.worker(*number);
                worker.end_entry();
                worker.append(*role, content.clone());
            }
            Step::Complete(number) => {
                let worker = model.worker(*number);
                worker.end_entry();
                worker.end_run(Outcome::Completed, None, None);
            }
            Step::Fail(number) => {
                let worker = model.worker(*number);
                worker.end_entry();
                worker.end_run(Outcome::Failed, Some(FAILED), None);
            }
            Step::Restart { in_order } => model.restart(*in_order),
        }
        model
    }
}
