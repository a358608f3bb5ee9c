use proptest::prelude::*;
use yoi_protocol::{
    Event, Outcome, Role, RunId, RuntimeId, Timestamp, Worker, WorkerId, WorkerStatus,
};

use super::{FoldError, WorkerState};
use crate::error::RuntimeError;
use crate::runtime::decide::{self, Ending};
use crate::store::StoredEvent;

/// What may happen to a Worker, as its commands and its run would have it.
#[derive(Debug, Clone)]
enum Step {
    Input(String),
    Entry(Role, String),
    Usage(u64),
    Finish { text: String, outcome: Outcome },
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        Just(Outcome::Completed),
        Just(Outcome::Cancelled),
        Just(Outcome::Failed)
    ];
    let role = prop_oneof![Just(Role::Assistant), Just(Role::Tool)];
    prop_oneof![
        4 => ".{0,8}".prop_map(Step::Input),
        4 => (role, ".{1,8}").prop_map(|(role, text)| Step::Entry(role, text)),
        1 => any::<u64>().prop_map(Step::Usage),
        4 => (".{0,8}", outcome).prop_map(|(text, outcome)| Step::Finish { text, outcome }),
        1 => Just(Step::Stop),
    ]
}

fn born() -> StoredEvent {
    let at = Timestamp::from_unix_ms(0);
    let worker = Worker {
        runtime_id: RuntimeId::parse("r").unwrap(),
        worker_id: WorkerId::parse("w").unwrap(),
        display_name: None,
        display_ref: "w@r".to_owned(),
        status: WorkerStatus::Idle,
        profile: "echo".to_owned(),
        intent: None,
        labels: std::collections::BTreeMap::new(),
        created_at: at,
        updated_at: at,
        transcript_length: 0,
        active_run: None,
        last_run: None,
    };
    StoredEvent {
        seq: 1,
        at,
        event: decide::create(worker),
    }
}

/// The events of one step, in the state that it meets; `None` where it is refused.
fn decide(state: &WorkerState, step: &Step, number: usize) -> Option<Vec<Event>> {
    let at = Timestamp::from_unix_ms(i64::try_from(number).unwrap());
    let active = state.worker.active_run.as_ref().map(|run| &run.run_id);
    match step {
        Step::Input(content) => {
            let run_id = RunId::parse(&format!("run-{number}")).unwrap();
            match decide::input(state, content.clone(), &run_id, at) {
                Ok(events) => Some(events),
                Err(RuntimeError::WorkerBusy { active_run_id }) => {
                    assert_eq!(Some(&active_run_id), active);
                    None
                }
                Err(RuntimeError::WorkerStopped) => {
                    assert!(state.is_over);
                    None
                }
                Err(other) => panic!("an input is never refused with {other:?}"),
            }
        }
        Step::Entry(role, text) => {
            let entry = decide::entry(state, *role, text.clone(), active?, at);
            Some(vec![Event::EntryAppended { entry }])
        }
        Step::Usage(tokens) => Some(vec![Event::Usage {
            run_id: active?.clone(),
            input_tokens: Some(*tokens),
            output_tokens: None,
        }]),
        Step::Finish { text, outcome } => {
            let ending = Ending {
                outcome: *outcome,
                error: None,
            };
            Some(decide::finish(
                state,
                active?,
                text.clone(),
                ending,
                None,
                at,
            ))
        }
        Step::Stop => match active {
            _ if state.is_over => None,
            None => Some(decide::stop(None).into()),
            Some(run_id) => {
                let ending = Ending::failed("c", "m");
                let stop = Some(Some("enough".to_owned()));
                Some(decide::finish(
                    state,
                    run_id,
                    String::new(),
                    ending,
                    stop,
                    at,
                ))
            }
        },
    }
}

/// A log that such steps lead to, with the state after each of its events.
fn log_of(steps: &[Step]) -> Vec<(StoredEvent, WorkerState)> {
    let first = born();
    let mut state = WorkerState::begin(&first).unwrap();
    let mut log = vec![(first, state.clone())];
    for (number, step) in steps.iter().enumerate() {
        for event in decide(&state, step, number).unwrap_or_default() {
            let at = Timestamp::from_unix_ms(i64::try_from(number).unwrap());
            let stored = StoredEvent {
                seq: state.seq + 1,
                at,
                event,
            };
            state.apply(&stored).expect("what is decided adds up");
            log.push((stored, state.clone()));
        }
    }
    log
}

fn fold<'a>(events: impl IntoIterator<Item = &'a StoredEvent>) -> Result<WorkerState, FoldError> {
    let mut events = events.into_iter();
    let mut state = WorkerState::begin(events.next().ok_or(FoldError::of("empty"))?)?;
    for event in events {
        state.apply(event)?;
    }
    Ok(state)
}

proptest! {
    #[test]
    fn what_is_decided_adds_up_and_keeps_the_invariants(steps in prop::collection::vec(step(), 0..40)) {
        let log = log_of(&steps);
        let mut entries = 0;
        for (index, (event, state)) in log.iter().enumerate() {
            prop_assert_eq!(event.seq, index as u64 + 1, "dense from 1");
            prop_assert_eq!(state.seq, event.seq);
            if let Event::InputAccepted { entry } | Event::EntryAppended { entry } = &event.event {
                entries += 1;
                prop_assert_eq!(entry.sequence, entries, "entries without holes");
            }
            prop_assert_eq!(state.worker.transcript_length, entries);
        }
        let (_, last) = log.last().unwrap();
        let expected = match (&last.worker.active_run, last.is_over) {
            (_, true) => WorkerStatus::Stopped,
            (Some(_), false) => WorkerStatus::Running,
            (None, false) => WorkerStatus::Idle,
        };
        prop_assert_eq!(last.worker.status, expected);
        prop_assert!(!(last.is_over && last.worker.active_run.is_some()));
    }

    #[test]
    fn folding_the_log_again_gives_the_same_worker(steps in prop::collection::vec(step(), 0..40)) {
        let log = log_of(&steps);
        // Through JSON, as a store keeps them.
        let kept: Vec<StoredEvent> = log.iter().map(|(stored, _)| {
            let text = serde_json::to_string(&stored.event).unwrap();
            StoredEvent { event: serde_json::from_str(&text).unwrap(), ..stored.clone() }
        }).collect();
        prop_assert_eq!(fold(&kept), Ok(log.last().unwrap().1.clone()));
    }

    #[test]
    fn a_log_with_a_hole_or_a_repetition_does_not_fold(
        steps in prop::collection::vec(step(), 1..40),
        at in any::<prop::sample::Index>(),
        repeat in any::<bool>(),
    ) {
        let mut events: Vec<StoredEvent> = log_of(&steps).into_iter().map(|(event, _)| event).collect();
        prop_assume!(events.len() > 2);
        // Not the last: a log that ends early is simply shorter.
        let at = at.index(events.len() - 2) + 1;
        if repeat {
            events.insert(at, events[at].clone());
        } else {
            events.remove(at);
        }
        prop_assert!(fold(&events).is_err());
    }
}

#[test]
fn a_log_begins_with_a_snapshot() {
    let event = StoredEvent {
        seq: 1,
        at: Timestamp::from_unix_ms(0),
        event: Event::WorkerStopped { reason: None },
    };
    assert!(WorkerState::begin(&event).is_err());
}

#[test]
fn a_state_that_was_kept_goes_on_as_if_it_had_been_folded() {
    let steps = ["one", "two"].map(|text| Step::Input(text.to_owned()));
    let [one, two] = steps;
    let finish = Step::Finish {
        text: "said".to_owned(),
        outcome: Outcome::Completed,
    };
    let log = log_of(&[one, finish.clone(), two, finish, Step::Stop]);
    let (_, last) = log.last().unwrap();
    assert!(last.is_over);
    for (index, (event, state)) in log.iter().enumerate() {
        // In the middle of a record: the status is there, the end is not.
        if state.worker.status == WorkerStatus::Stopped && !state.is_over {
            continue;
        }
        let mut resumed = WorkerState::resume(state.worker.clone(), event.seq);
        assert_eq!(resumed, *state);
        for (next, _) in &log[index + 1..] {
            resumed.apply(next).unwrap();
        }
        assert_eq!(resumed, *last);
    }
}

#[test]
fn a_number_that_nothing_can_follow_is_not_followed() {
    let (first, mut state) = log_of(&[]).remove(0);
    state.seq = u64::MAX;
    let next = StoredEvent { seq: 0, ..first };
    let refused = state.apply(&next).unwrap_err();
    assert_eq!(refused.rule(), "events are numbered without holes");
}

#[test]
fn a_run_that_is_not_active_does_not_finish_another() {
    let log = log_of(&[Step::Input("x".to_owned())]);
    let (last, mut state) = log.last().unwrap().clone();
    let finished = StoredEvent {
        seq: last.seq + 1,
        at: last.at,
        event: Event::RunFinished {
            run_id: RunId::parse("run-other").unwrap(),
            outcome: Outcome::Completed,
            error: None,
        },
    };
    let before = state.clone();
    assert!(state.apply(&finished).is_err());
    assert_eq!(state, before, "a refused event changes nothing");
}

#[test]
fn nothing_follows_the_end() {
    let log = log_of(&[Step::Stop]);
    let (last, mut state) = log.last().unwrap().clone();
    let again = StoredEvent {
        seq: last.seq + 1,
        ..last
    };
    let before = state.clone();
    assert!(state.apply(&again).is_err());
    assert_eq!(state, before, "a refused event changes nothing");
}

#[test]
fn a_worker_does_not_stop_under_its_run() {
    let log = log_of(&[Step::Input("x".to_owned())]);
    let (last, mut state) = log.last().unwrap().clone();
    let stop = StoredEvent {
        seq: last.seq + 1,
        at: last.at,
        event: Event::StatusChanged {
            status: WorkerStatus::Stopped,
        },
    };
    assert!(state.apply(&stop).is_err());
}
