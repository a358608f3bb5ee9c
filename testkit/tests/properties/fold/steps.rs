//! What is tried: steps that make sense where the model is, and what each of them does to it.

use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;
use yoi_protocol::{Outcome, Role};

use super::model::{Command, Model, Number, Step, Store, What, Whose};

/// How many Workers there are at most.
const WORKERS: Number = 2;

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
            1 => Just(Store::UncertainButKeeps),
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
            Step::Command(command, Store::Uncertain | Store::UncertainButKeeps) => {
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
