//! Runtimes that break one promise whichever way they are asked: each is caught.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use worker_runtime::Runtime;
use yoi_protocol::{
    CancelRequest, Cancelled, Capability, Code, CreateWorker, Cursor, Effect, Failure,
    IdempotencyKey, InputAccepted, InputRequest, ListQuery, RawFrame, RunId, RuntimeId,
    RuntimeInfo, StopRequest, Stopped, StreamEnd, Transcript, TranscriptQuery, Worker, WorkerId,
    WorkerPage,
};
use yoi_testkit::contract::handle::OverHandle;
use yoi_testkit::contract::{Bench, Checked, Done, Frames, Report, Subject, semantics};
use yoi_workspace_server::Embedded;

use crate::lasting::lasting;

/// What a Runtime does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    SkipsAWorkerOfEachPage,
    RepeatsAWorkerOfEachPage,
    TakesAnyLimit,
    ForgetsWhatWasSaid,
    DropsLabels,
    StopsOnlyOnce,
    DoesNotSayWhatItCancelled,
    IsUnsureOfWhatItRefused,
    SharesKeysAmongWorkers,
    SkipsASeq,
    Renumbers,
    LosesAPieceOfText,
    TakesCursorsOfOthers,
    TellsThePastTwice,
    IsNeverCaughtUp,
    EndsAsIfLost,
    IgnoresKeysItDoesNotList,
    CancelsWhatIsNot,
    StopsWhatItCancels,
    CallsWorkersByNumbers,
    DropsWhatItCannotGrant,
    CreatesWhatItRefuses,
    KeepsTheKeysOfRefusals,
    IsBusyWhenStopped,
    IsStoppedWhenBusy,
    NamesTheNextSequence,
    HidesTheActiveRun,
    IgnoresTheStatus,
    ListsWithoutNames,
    ForgetsTheLastRun,
    ForgetsTheStopped,
    MixesRuns,
    BeginsAgainAtTheEnd,
    ChangesWithThePage,
    CountsFromZero,
    TakesForgedCursors,
    ShowsAnEmptyPast,
    ForgetsWhatIsInFlight,
    WritesWhatWasNotSaid,
    TellsEachAnotherTime,
    PanicsInAList,
    /// Which is no wrong: it says so.
    TakesNoKeys,
    /// Neither is this.
    HasNoEvents,
}

struct Broken {
    inner: OverHandle,
    wrong: Wrong,
    stopped: Mutex<HashSet<WorkerId>>,
    keys: Mutex<HashSet<String>>,
    count: AtomicU32,
}

impl Broken {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    fn told<T>(&self, answer: Result<T, Failure>) -> Result<T, Failure> {
        answer.map_err(|failure| {
            if self.is(Wrong::IsUnsureOfWhatItRefused) {
                failure.with_effect(Effect::Unknown)
            } else {
                failure
            }
        })
    }
}

#[async_trait]
impl Subject for Broken {
    async fn runtime(&self) -> Result<RuntimeInfo, Failure> {
        let mut info = self.inner.runtime().await?;
        info.capabilities.retain(|one| match self.wrong {
            Wrong::TakesNoKeys | Wrong::IgnoresKeysItDoesNotList => *one != Capability::IDEMPOTENCY,
            Wrong::HasNoEvents => *one != Capability::EVENTS_WS && *one != Capability::EVENTS_SSE,
            _ => true,
        });
        Ok(info)
    }

    async fn list(&self, query: &ListQuery) -> Result<WorkerPage, Failure> {
        assert!(!self.is(Wrong::PanicsInAList), "no list today");
        let mut query = query.clone();
        if self.is(Wrong::TakesAnyLimit) {
            query.limit = query.limit.map(|limit| limit.clamp(1, 1000));
        }
        if self.is(Wrong::IgnoresTheStatus) {
            query.status = None;
        }
        let mut page = self.inner.list(&query).await?;
        if self.is(Wrong::ListsWithoutNames) {
            for worker in &mut page.workers {
                worker.display_name = None;
            }
        }
        if page.next_page.is_some() && self.is(Wrong::SkipsAWorkerOfEachPage) {
            page.workers.pop();
        }
        if self.is(Wrong::RepeatsAWorkerOfEachPage) {
            page.workers.extend(page.workers.first().cloned());
        }
        Ok(page)
    }

    async fn get(&self, worker_id: &WorkerId) -> Result<Worker, Failure> {
        let mut worker = self.inner.get(worker_id).await?;
        if self.is(Wrong::HidesTheActiveRun) {
            worker.active_run = None;
        }
        Ok(worker)
    }

    async fn create(
        &self,
        body: &CreateWorker,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Worker>, Failure> {
        if key.is_some() && self.is(Wrong::TakesNoKeys) {
            return Err(Failure::unsupported("idempotency"));
        }
        let mut body = body.clone();
        if self.is(Wrong::DropsLabels) {
            body.labels.clear();
        }
        if self.is(Wrong::DropsWhatItCannotGrant) {
            body.config_bundle = None;
            body.requested_capabilities.clear();
            body.workspace_refs.clear();
            body.mount_refs.clear();
        }
        if self.is(Wrong::CallsWorkersByNumbers) && body.worker_id.is_none() {
            let number = self.count.fetch_add(1, Ordering::Relaxed);
            body.worker_id = WorkerId::parse(&format!("w-{number}")).ok();
        }
        if let Some(key) = key.filter(|_| self.is(Wrong::KeepsTheKeysOfRefusals)) {
            let is_new = self
                .keys
                .lock()
                .expect("no test panicked in it")
                .insert(key.to_string());
            if !is_new {
                return Err(Failure::new(Code::IdempotencyConflict));
            }
        }
        let created = self.inner.create(&body, key).await;
        if created.is_err() && self.is(Wrong::CreatesWhatItRefuses) {
            body.profile = None;
            let _ = self.inner.create(&body, None).await;
        }
        self.told(created)
    }

    async fn input(
        &self,
        worker_id: &WorkerId,
        body: &InputRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<InputAccepted>, Failure> {
        let accepted = self.inner.input(worker_id, body, key).await;
        let mut accepted = match accepted {
            Err(failure)
                if failure.code == Code::WorkerStopped && self.is(Wrong::IsBusyWhenStopped) =>
            {
                return Err(Failure::new(Code::WorkerBusy));
            }
            Err(failure)
                if failure.code == Code::WorkerBusy && self.is(Wrong::IsStoppedWhenBusy) =>
            {
                return Err(Failure::new(Code::WorkerStopped));
            }
            accepted => self.told(accepted)?,
        };
        if self.is(Wrong::NamesTheNextSequence) {
            accepted.value.sequence += 1;
        }
        if key.is_some() && self.is(Wrong::SharesKeysAmongWorkers) {
            accepted.replayed = true;
        }
        Ok(accepted)
    }

    async fn cancel(
        &self,
        worker_id: &WorkerId,
        body: &CancelRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Cancelled>, Failure> {
        let mut cancelled = self.told(self.inner.cancel(worker_id, body, key).await)?;
        if self.is(Wrong::DoesNotSayWhatItCancelled) {
            cancelled.value.cancelled_run_id = None;
        }
        if self.is(Wrong::CancelsWhatIsNot) {
            cancelled.value.cancelled_run_id = RunId::parse("run-1").ok();
        }
        if self.is(Wrong::StopsWhatItCancels) {
            self.inner
                .stop(worker_id, &StopRequest::default(), None)
                .await?;
        }
        Ok(cancelled)
    }

    async fn stop(
        &self,
        worker_id: &WorkerId,
        body: &StopRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<Stopped>, Failure> {
        let is_first = self
            .stopped
            .lock()
            .expect("no test panicked in it")
            .insert(worker_id.clone());
        if !is_first && self.is(Wrong::StopsOnlyOnce) {
            return Err(Failure::new(Code::WorkerStopped));
        }
        let mut stopped = self.told(self.inner.stop(worker_id, body, key).await)?;
        if self.is(Wrong::ForgetsTheLastRun) {
            stopped.value.worker.last_run = None;
        }
        Ok(stopped)
    }

    async fn transcript(
        &self,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
    ) -> Result<Transcript, Failure> {
        let mut page = self.inner.transcript(worker_id, query).await?;
        if self.is(Wrong::ForgetsWhatWasSaid) {
            page.entries.retain(|entry| entry.sequence != 2);
        }
        match self.wrong {
            Wrong::ForgetsTheStopped
                if self
                    .stopped
                    .lock()
                    .expect("no test panicked in it")
                    .contains(worker_id) =>
            {
                page.entries.clear();
            }
            Wrong::MixesRuns => {
                for entry in &mut page.entries {
                    entry.run_id = RunId::parse("run-1").expect("an id");
                }
            }
            Wrong::BeginsAgainAtTheEnd if query.after.is_some() && page.entries.is_empty() => {
                return self
                    .inner
                    .transcript(worker_id, &TranscriptQuery::default())
                    .await;
            }
            Wrong::ChangesWithThePage if query.limit == Some(1) => {
                for entry in &mut page.entries {
                    entry.content.push('!');
                }
            }
            Wrong::CountsFromZero if page.entries.is_empty() => page.first_sequence = 0,
            _ => {}
        }
        Ok(page)
    }

    async fn events(
        &self,
        worker_id: &WorkerId,
        cursor: Option<&Cursor>,
    ) -> Result<Box<dyn Frames>, Failure> {
        if self.is(Wrong::HasNoEvents) {
            return Err(Failure::unsupported("events"));
        }
        let opened = match self.inner.events(worker_id, cursor).await {
            Err(failure)
                if failure.code == Code::CursorUnknown && self.is(Wrong::TakesCursorsOfOthers) =>
            {
                self.inner.events(worker_id, None).await
            }
            Err(failure)
                if failure.code == Code::CursorInvalid && self.is(Wrong::TakesForgedCursors) =>
            {
                self.inner.events(worker_id, None).await
            }
            opened => opened,
        };
        Ok(Box::new(BrokenFrames {
            inner: opened?,
            wrong: self.wrong,
            again: None,
            is_resumed: cursor.is_some(),
            number: self.count.fetch_add(1, Ordering::Relaxed),
        }))
    }
}

struct BrokenFrames {
    inner: Box<dyn Frames>,
    wrong: Wrong,
    again: Option<RawFrame>,
    is_resumed: bool,
    number: u32,
}

/// A frame whose event or control is changed.
fn altered(frame: &RawFrame, change: impl Fn(&mut Value)) -> RawFrame {
    let mut value = serde_json::from_str(&frame.to_text()).expect("a frame is JSON");
    change(&mut value);
    RawFrame::parse(&value.to_string()).expect("a frame is JSON")
}

#[async_trait]
impl Frames for BrokenFrames {
    async fn next(&mut self) -> Result<RawFrame, StreamEnd> {
        if let Some(frame) = self.again.take() {
            return Ok(frame);
        }
        let mut frame = match self.inner.next().await {
            Err(StreamEnd::Complete) if self.wrong == Wrong::EndsAsIfLost => {
                return Err(StreamEnd::Draining);
            }
            other => other?,
        };
        let event = frame.payload_type("event");
        let control = frame.payload_type("control");
        match self.wrong {
            Wrong::SkipsASeq if event.as_deref() == Some("run_started") => {
                frame = self.inner.next().await?;
            }
            Wrong::Renumbers if self.is_resumed && event.is_some() => {
                frame.set("seq", &(frame.seq().unwrap_or_default() + 1));
            }
            Wrong::LosesAPieceOfText if frame.kind().as_deref() == Some("delta") => {
                frame = self.inner.next().await?;
            }
            Wrong::TellsThePastTwice if event.is_some() && self.is_resumed => {
                self.again = Some(frame.clone());
            }
            Wrong::ShowsAnEmptyPast if event.as_deref() == Some("snapshot") => {
                frame = altered(&frame, |frame| frame["event"]["transcript"] = json!([]));
            }
            Wrong::ForgetsWhatIsInFlight if control.as_deref() == Some("caught_up") => {
                frame = altered(&frame, |frame| {
                    if let Some(control) = frame["control"].as_object_mut() {
                        control.remove("in_flight");
                    }
                });
            }
            Wrong::WritesWhatWasNotSaid if event.as_deref() == Some("entry_appended") => {
                frame = altered(&frame, |frame| {
                    frame["event"]["entry"]["content"] = json!("x");
                });
            }
            Wrong::TellsEachAnotherTime if event.is_some() => {
                let at = format!("2026-01-01T00:00:{:02}Z", self.number % 60);
                frame = altered(&frame, |frame| frame["at"] = json!(at));
            }
            Wrong::IsNeverCaughtUp if control.as_deref() == Some("caught_up") => {
                frame = self.inner.next().await?;
            }
            _ => {}
        }
        Ok(frame)
    }
}

async fn report(wrong: Wrong) -> Report {
    let id = RuntimeId::parse("local").expect("an id");
    let runtime = lasting(Runtime::builder(id))
        .start()
        .await
        .expect("it starts");
    let subject = Broken {
        inner: OverHandle::new(Arc::new(Embedded::new(runtime))),
        wrong,
        stopped: Mutex::default(),
        keys: Mutex::default(),
        count: AtomicU32::new(0),
    };
    let bench = Bench::new(Arc::new(subject))
        .await
        .expect("it says what it is");
    let bench = bench
        .profile("echo")
        .long_profile("lasting")
        .patience(Duration::from_secs(2));
    Report::new(Some(bench.info()), semantics::run(&bench).await)
}

/// One test for each wrong, with the checks that must catch it.
macro_rules! caught {
    ($($test:ident: $wrong:ident by $($check:literal),+;)+) => {
        /// The checks that fail, wrong by wrong.
        pub(crate) const CAUGHT: &[&[&str]] = &[$(&[$($check),+],)+];

        $(
        #[tokio::test(start_paused = true)]
        async fn $test() {
            let report = report(Wrong::$wrong).await;
            let failed: Vec<&str> = report.failed().map(|one| &*one.name).collect();
            for check in [$($check),+] {
                assert!(failed.contains(&check), "{check} passed: {failed:#?}");
            }
        }
        )+
    };
}

caught! {
    one_that_skips_workers: SkipsAWorkerOfEachPage by "list.pages_in_order", "list.skips_none_while_others_come";
    one_that_repeats_workers: RepeatsAWorkerOfEachPage by "list.pages_in_order", "list.limit_is_bounded";
    one_that_takes_any_limit: TakesAnyLimit by "list.limit_is_bounded";
    one_that_forgets_what_was_said: ForgetsWhatWasSaid by "transcript.has_no_holes", "events.are_those_of_the_transcript";
    one_that_drops_labels: DropsLabels by "create.keeps_what_it_was_told";
    one_that_stops_only_once: StopsOnlyOnce by "stop.is_final_and_can_be_repeated";
    one_that_does_not_say_what_it_cancelled: DoesNotSayWhatItCancelled by "cancel.ends_the_active_run", "cancel.ends_the_run_it_names";
    one_that_is_unsure_of_what_it_refused: IsUnsureOfWhatItRefused by "create.id_is_taken_once", "input.one_run_at_a_time";
    one_that_shares_keys: SharesKeysAmongWorkers by "idempotency.is_scoped";
    one_that_skips_a_seq: SkipsASeq by "events.tell_a_run_in_order";
    one_that_renumbers: Renumbers by "resume.repeats_to_the_letter", "resume.goes_on_live";
    one_that_loses_a_piece: LosesAPieceOfText by "deltas.are_kept_when_the_run_is_cancelled";
    one_that_takes_cursors_of_others: TakesCursorsOfOthers by "resume.refuses_cursors_of_others";
    one_that_tells_the_past_twice: TellsThePastTwice by "resume.shows_all_that_an_input_led_to", "resume.from_every_cursor";
    one_that_is_never_caught_up: IsNeverCaughtUp by "events.begin_with_a_snapshot";
    one_that_ignores_keys_it_does_not_list: IgnoresKeysItDoesNotList by "idempotency.is_honoured_or_refused";
    one_that_cancels_what_is_not: CancelsWhatIsNot by "cancel.of_an_idle_worker_does_nothing", "cancel.of_a_stopped_worker_does_nothing", "cancel.spares_other_runs";
    one_that_stops_what_it_cancels: StopsWhatItCancels by "cancel.leaves_the_worker_usable";
    one_that_calls_workers_by_numbers: CallsWorkersByNumbers by "create.generates_an_id";
    one_that_drops_what_it_cannot_grant: DropsWhatItCannotGrant by "create.refuses_what_it_cannot_grant";
    one_that_creates_what_it_refuses: CreatesWhatItRefuses by "create.refused_changes_nothing";
    one_that_keeps_the_keys_of_refusals: KeepsTheKeysOfRefusals by "idempotency.is_free_after_a_refusal";
    one_that_is_busy_when_stopped: IsBusyWhenStopped by "input.a_stopped_worker_takes_none";
    one_that_is_stopped_when_busy: IsStoppedWhenBusy by "input.one_run_at_a_time", "input.one_of_two_at_once_wins";
    one_that_names_the_next_sequence: NamesTheNextSequence by "input.begins_a_run", "input.names_the_users_entry", "input.sequences_go_on";
    one_that_hides_the_active_run: HidesTheActiveRun by "input.shows_the_active_run";
    one_that_ignores_the_status: IgnoresTheStatus by "list.filters_by_status";
    one_that_lists_without_names: ListsWithoutNames by "list.shows_the_short_form";
    one_that_forgets_the_last_run: ForgetsTheLastRun by "stop.ends_the_active_run";
    one_that_forgets_the_stopped: ForgetsTheStopped by "stop.keeps_what_was_said";
    one_that_mixes_runs: MixesRuns by "transcript.begins_each_run_with_its_input";
    one_that_begins_again_at_the_end: BeginsAgainAtTheEnd by "transcript.is_empty_past_the_end";
    one_that_changes_with_the_page: ChangesWithThePage by "transcript.pages_add_up";
    one_that_counts_from_zero: CountsFromZero by "transcript.of_a_new_worker_is_empty";
    one_that_takes_forged_cursors: TakesForgedCursors by "resume.refuses_forged_cursors";
    one_that_shows_an_empty_past: ShowsAnEmptyPast by "events.snapshot_has_the_transcript";
    one_that_forgets_what_is_in_flight: ForgetsWhatIsInFlight by "deltas.are_in_flight_for_who_comes_late";
    one_that_writes_what_was_not_said: WritesWhatWasNotSaid by "deltas.add_up_to_the_entry";
    one_that_tells_each_another_time: TellsEachAnotherTime by "events.are_the_same_for_all";
    one_that_panics: PanicsInAList by "list.pages_in_order";
    one_that_ends_as_if_lost: EndsAsIfLost by "stop.is_told_last", "events.end_with_the_worker";
}

#[tokio::test(start_paused = true)]
async fn what_a_runtime_does_not_list_is_skipped_and_no_failure() {
    for (lacks, groups) in [
        (Wrong::TakesNoKeys, &["idempotency"][..]),
        (Wrong::HasNoEvents, &["events", "resume", "deltas"]),
    ] {
        let report = report(lacks).await;
        assert_eq!(report.failed, 0, "{report:#?}");
        let of_groups = |one: &&Checked| groups.contains(&one.name.split('.').next().unwrap());
        let skipped = report.skipped().filter(of_groups).count();
        let all = report.checks.iter().filter(of_groups).count();
        // That a key is refused is looked at.
        let looked_at = usize::from(lacks == Wrong::TakesNoKeys);
        assert_eq!(skipped, all - looked_at, "{report:#?}");
    }
}
