//! A real Runtime on a store that outlives it, driven step by step.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use proptest_state_machine::StateMachineTest;
use tokio::runtime::{Builder, Runtime as Threads};
use worker_runtime::{Applied, CommandContext, ProfileSpec, Runtime, RuntimeError, StoreError};
use yoi_protocol::{
    CancelRequest, CreateWorker, Event, IdempotencyKey, InputRequest, RunId, RuntimeId,
    StopRequest, WorkerId,
};
use yoi_testkit::{ManualClock, Script, ScriptedExecutor, ScriptedRun, SequentialIds, TestStore};

use super::model::{
    Answer, Command, Happened, Model, Number, Refusal, Step, Store, Told, What, Whose,
};
use super::past;
use super::steps::FAILED;
use super::watcher::{Watcher, happened};

pub(crate) struct System {
    boot: Option<Boot>,
    store: Arc<TestStore>,
    clock: Arc<ManualClock>,
    ids: Arc<SequentialIds>,
    /// The ids of the runs, by the numbers that the model has for them.
    runs: Vec<RunId>,
    watchers: BTreeMap<Number, Watcher>,
    /// The first answer under each key, whole.
    answers: HashMap<(&'static str, Number, u8), String>,
}

/// One start of the Runtime. Its tasks end with its threads, as a killed process does.
struct Boot {
    runtime: Runtime,
    script: Script,
    active: BTreeMap<Number, ScriptedRun>,
    threads: Threads,
}

pub(crate) fn name(number: Number) -> WorkerId {
    WorkerId::parse(&format!("w-{number}")).unwrap()
}

impl Boot {
    fn start(system: &System) -> Self {
        // Time moves only when everyone waits for it: a retry after a while takes no time.
        let threads = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (executor, script) = ScriptedExecutor::new();
        let builder = Runtime::builder(RuntimeId::parse("local").unwrap())
            .store(system.store.clone())
            .clock(system.clock.clone())
            .ids(system.ids.clone())
            .profile("scripted", ProfileSpec::new(executor))
            .default_profile("scripted");
        let runtime = threads.block_on(builder.start()).unwrap();
        let active = BTreeMap::new();
        Self {
            runtime,
            script,
            active,
            threads,
        }
    }
}

/// What only a run does.
async fn say(active: &mut BTreeMap<Number, ScriptedRun>, step: &Step) {
    match step {
        Step::Say(number, piece) => active[number].say(piece).await,
        Step::EndEntry(number) => active[number].output().end_entry().await.unwrap(),
        Step::Entry(number, role, content) => {
            let out = active[number].output();
            out.entry(*role, content.as_str()).await.unwrap();
        }
        Step::Complete(number) => active.remove(number).unwrap().complete(),
        Step::Fail(number) => active.remove(number).unwrap().fail(FAILED, "enough"),
        Step::Command(..) | Step::Restart { .. } => unreachable!("no run does that"),
    }
}

impl System {
    fn boot(&self) -> &Boot {
        self.boot.as_ref().unwrap()
    }

    fn number_of(&self, run_id: &RunId) -> usize {
        self.runs.iter().position(|run| run == run_id).unwrap()
    }

    fn command(&mut self, command: &Command) -> Result<Answer, Refusal> {
        let mut boot = self.boot.take().unwrap();
        let threads = &boot.threads;
        let runtime = boot.runtime.clone();
        let (id, key) = (name(command.worker), command.key);
        let key = key.map(|key| IdempotencyKey::parse(&format!("key-{key}")).unwrap());
        let context = CommandContext {
            key,
            deadline: None,
        };
        let answer = match &command.what {
            What::Create { name } => {
                let body = CreateWorker {
                    worker_id: Some(id),
                    display_name: name.clone(),
                    ..CreateWorker::default()
                };
                let applied = threads.block_on(runtime.create_worker(body, context));
                self.answered(command, applied, |_, _| Told::Created)
            }
            What::Input(content) => {
                let body = InputRequest::new(content);
                let applied = threads.block_on(runtime.send_input(&id, body, context));
                if let Ok(Applied {
                    value,
                    replayed: false,
                }) = &applied
                {
                    self.runs.push(value.run_id.clone());
                    let run = threads.block_on(boot.script.next_run());
                    assert_eq!(
                        (run.run_id(), run.input()),
                        (&value.run_id, content.as_str())
                    );
                    boot.active.insert(command.worker, run);
                }
                self.answered(command, applied, |system, value| Told::Accepted {
                    run: system.number_of(&value.run_id),
                    sequence: value.sequence,
                })
            }
            What::Cancel(whose) => {
                let run_id = match whose {
                    Whose::Any => None,
                    Whose::Run(run) => Some(self.runs[*run].clone()),
                    Whose::Nobodys => Some(RunId::parse("run-of-nobody").unwrap()),
                };
                let body = CancelRequest {
                    run_id,
                    reason: None,
                };
                let applied = threads.block_on(runtime.cancel(&id, body, context));
                self.answered(command, applied, |system, value| {
                    let run = value.cancelled_run_id.as_ref();
                    Told::Cancelled(run.map(|run| system.number_of(run)))
                })
            }
            What::Stop(reason) => {
                let body = StopRequest {
                    reason: reason.clone(),
                };
                let applied = threads.block_on(runtime.stop_worker(&id, body, context));
                self.answered(command, applied, |_, _| Told::Stopped)
            }
        };
        self.boot = Some(boot);
        answer
    }

    /// The answer in the words of the model. An answer that is given again is the first, whole.
    fn answered<T: serde::Serialize>(
        &mut self,
        command: &Command,
        applied: Result<Applied<T>, RuntimeError>,
        told: impl FnOnce(&Self, &T) -> Told,
    ) -> Result<Answer, Refusal> {
        let Applied { value, replayed } = applied.map_err(|error| {
            let failure = error.failure();
            (failure.code, failure.effect)
        })?;
        if let Some(key) = command.remembered() {
            let text = serde_json::to_string(&value).unwrap();
            let first = self.answers.entry(key).or_insert_with(|| text.clone());
            assert_eq!(*first, text, "an answer that is given again is the first");
        }
        Ok(Answer {
            told: told(self, &value),
            is_replayed: replayed,
        })
    }

    fn restart(&mut self, in_order: bool) {
        let boot = self.boot.take().unwrap();
        if in_order {
            boot.threads
                .block_on(boot.runtime.drain(Duration::from_secs(10)));
        }
        self.watchers.values_mut().for_each(Watcher::detach);
        drop(boot);
        self.store = self.store.reopened();
        self.find_runs();
        self.boot = Some(Boot::start(self));
        // A minute passes between two starts.
        self.clock.advance(Duration::from_secs(60));
    }

    /// Learns of a run that nobody was told of: the store kept it, and could not tell.
    fn find_runs(&mut self) {
        for record in self.store.records() {
            for event in record.events {
                if let Event::InputAccepted { entry } = event.event
                    && !self.runs.contains(&entry.run_id)
                {
                    self.runs.push(entry.run_id);
                }
            }
        }
    }

    /// The readers of Workers that have none: they are new, or their Runtime is.
    fn attach(&mut self, model: &Model, is_new_start: bool) {
        let boot = self.boot.take().unwrap();
        for number in model.workers.keys() {
            let is_new = !self.watchers.contains_key(number);
            let watcher = self.watchers.entry(*number).or_default();
            if is_new || is_new_start {
                boot.threads
                    .block_on(watcher.attach(&boot.runtime, &name(*number)));
            }
        }
        self.boot = Some(boot);
    }

    /// Lets each reader read what the model says that there is.
    fn catch_up(&mut self, model: &Model) {
        let threads = &self.boot.as_ref().unwrap().threads;
        for (number, worker) in &model.workers {
            let watcher = self.watchers.get_mut(number).unwrap();
            threads.block_on(watcher.catch_up(worker.events.len(), &worker.said));
            let events = watcher.events.iter();
            let events: Vec<Happened> = events.map(|(one, _)| happened(one, &self.runs)).collect();
            assert_eq!(events, worker.events, "worker {number}");
        }
    }
}

impl StateMachineTest for System {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_model: &Model) -> Self {
        let mut system = Self {
            boot: None,
            store: TestStore::new(),
            clock: ManualClock::new(),
            ids: SequentialIds::new(),
            runs: Vec::new(),
            watchers: BTreeMap::new(),
            answers: HashMap::new(),
        };
        system.boot = Some(Boot::start(&system));
        system
    }

    fn apply(mut system: Self, model: &Model, step: Step) -> Self {
        system.clock.advance(Duration::from_millis(1));
        match &step {
            Step::Command(command, store) => {
                match store {
                    Store::Well => {}
                    Store::Refuses => system.store.fail_once(StoreError::Refused("no")),
                    Store::Uncertain => system.store.fail_once(StoreError::Uncertain("who knows")),
                    Store::UncertainButKeeps => system.store.fail_once_but_keep("who knows"),
                }
                let answer = system.command(command);
                assert_eq!(Some(answer), model.answer, "{step:?}");
                system.store.heal();
            }
            Step::Restart { in_order } => system.restart(*in_order),
            Step::Say(..)
            | Step::EndEntry(_)
            | Step::Entry(..)
            | Step::Complete(_)
            | Step::Fail(_) => {
                let Boot {
                    threads, active, ..
                } = system.boot.as_mut().unwrap();
                threads.block_on(say(active, &step));
            }
        }
        system.attach(model, matches!(step, Step::Restart { .. }));
        system.catch_up(model);
        // A run whose Worker has none any more is over.
        let over = |number: &Number| model.workers[number].active.is_none();
        let boot = system.boot.as_mut().unwrap();
        boot.active.retain(|number, _| !over(number));
        system
    }

    fn check_invariants(system: &Self, model: &Model) {
        let boot = system.boot();
        boot.threads.block_on(async {
            past::check_lists(&boot.runtime, model, name).await;
            for (number, worker) in &model.workers {
                let watcher = &system.watchers[number];
                let id = name(*number);
                past::check(&boot.runtime, &id, worker, watcher, &system.runs).await;
            }
        });
    }
}
