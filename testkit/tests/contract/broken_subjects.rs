//! Runtimes that break one promise whichever way they are asked: each is caught.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use worker_runtime::Runtime;
use yoi_protocol::{
    CancelRequest, Cancelled, Capability, Code, CreateWorker, Cursor, Effect, Failure,
    IdempotencyKey, InputAccepted, InputRequest, ListQuery, RawFrame, RuntimeId, RuntimeInfo,
    StopRequest, Stopped, StreamEnd, Transcript, TranscriptQuery, Worker, WorkerId, WorkerPage,
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
    /// Which is no wrong: it says so.
    TakesNoKeys,
    /// Neither is this.
    HasNoEvents,
}

struct Broken {
    inner: OverHandle,
    wrong: Wrong,
    stopped: Mutex<HashSet<WorkerId>>,
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
        let mut query = query.clone();
        if self.is(Wrong::TakesAnyLimit) {
            query.limit = query.limit.map(|limit| limit.clamp(1, 1000));
        }
        let mut page = self.inner.list(&query).await?;
        if page.next_page.is_some() && self.is(Wrong::SkipsAWorkerOfEachPage) {
            page.workers.pop();
        }
        if self.is(Wrong::RepeatsAWorkerOfEachPage) {
            page.workers.extend(page.workers.first().cloned());
        }
        Ok(page)
    }

    async fn get(&self, worker_id: &WorkerId) -> Result<Worker, Failure> {
        self.inner.get(worker_id).await
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
        self.told(self.inner.create(&body, key).await)
    }

    async fn input(
        &self,
        worker_id: &WorkerId,
        body: &InputRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Done<InputAccepted>, Failure> {
        let accepted = self.inner.input(worker_id, body, key).await;
        let mut accepted = self.told(accepted)?;
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
        self.told(self.inner.stop(worker_id, body, key).await)
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
            opened => opened,
        };
        Ok(Box::new(BrokenFrames {
            inner: opened?,
            wrong: self.wrong,
            again: None,
            is_resumed: cursor.is_some(),
        }))
    }
}

struct BrokenFrames {
    inner: Box<dyn Frames>,
    wrong: Wrong,
    again: Option<RawFrame>,
    is_resumed: bool,
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
