//! What changes nothing.

use tokio::time::{Instant, sleep_until};
use yoi_protocol::list::checked_limit;
use yoi_protocol::{
    Code, Failure, ListQuery, Operation, PageToken, RuntimeDetail, RuntimeId, RuntimeList,
    StreamEnd, Transcript, TranscriptQuery, Worker, WorkerId, WorkerPage, WorkerSummary,
    WorkerSweep,
};

use super::{Backend, Caller, context};
use crate::handle::CallContext;
use crate::observation::{HubContext, Watch};
use crate::policy::{Decision, Question};
use crate::registry::Entry;
use crate::sweep::{self, Gathered, Position, Rest, gather};
use crate::telemetry;

impl Backend {
    /// What is known of the visible Runtimes. Asks none of them.
    #[must_use]
    pub fn runtimes(&self, caller: &Caller) -> RuntimeList {
        RuntimeList {
            runtimes: self
                .visible(caller)
                .map(|entry| entry.describe(&self.inner.presence).0)
                .collect(),
        }
    }

    /// What is known of one Runtime. Does not ask it.
    ///
    /// # Errors
    /// `runtime_not_found`.
    pub fn runtime(
        &self,
        caller: &Caller,
        runtime_id: &RuntimeId,
    ) -> Result<RuntimeDetail, Failure> {
        let entry = self
            .visible(caller)
            .find(|entry| entry.runtime_id == *runtime_id)
            .ok_or_else(|| Failure::new(Code::RuntimeNotFound))?;
        let (entry, sight) = entry.describe(&self.inner.presence);
        let (profiles, limits, diagnostics) = match sight.info {
            Some(info) => (info.profiles, Some(info.limits), info.diagnostics),
            None => Default::default(),
        };
        Ok(RuntimeDetail {
            entry,
            profiles,
            limits,
            diagnostics,
        })
    }

    /// One page of a Runtime's Workers.
    ///
    /// # Errors
    /// The Runtime's or the link's, and those of policy.
    pub async fn workers(
        &self,
        caller: &Caller,
        runtime_id: &RuntimeId,
        query: &ListQuery,
    ) -> Result<WorkerPage, Failure> {
        let limit = checked_limit(query.limit)?;
        let entry = self.admit(caller, Operation::ListWorkers, runtime_id, None)?;
        let call = context(caller, entry);
        let mut query = query.clone();
        let mut shown = Vec::new();
        loop {
            let page = self.list(caller, entry, &query, &call).await?;
            shown.extend(page.workers);
            // As many as there would be if what is hidden were not there.
            if page.hidden == 0 || page.next_page.is_none() || shown.len() >= limit {
                return Ok(WorkerPage {
                    workers: shown,
                    next_page: page.next_page,
                });
            }
            query.limit = Some((limit - shown.len()) as u64);
            query.page = page.next_page;
        }
    }

    /// One page as a Runtime tells it, fit to be seen by the caller.
    async fn list(
        &self,
        caller: &Caller,
        entry: &Entry,
        query: &ListQuery,
        call: &CallContext,
    ) -> Result<Listed, Failure> {
        let page = entry.settle(entry.handle.list_workers(query, call).await)?;
        let told = page.workers.len();
        let mut workers = page.workers;
        workers.retain(|worker| {
            let decision = self.decide(&Question {
                principal: &caller.principal,
                operation: Some(Operation::ListWorkers),
                runtime_id: &entry.runtime_id,
                worker_id: Some(&worker.worker_id),
            });
            match decision {
                Decision::Allow | Decision::Deny => true,
                Decision::Hide => false,
            }
        });
        for worker in &mut workers {
            entry.scrub.summary(worker);
        }
        Ok(Listed {
            hidden: told - workers.len(),
            workers,
            next_page: page.next_page,
        })
    }

    /// One Worker.
    ///
    /// # Errors
    /// The Runtime's or the link's, and those of policy.
    pub async fn worker(
        &self,
        caller: &Caller,
        runtime_id: &RuntimeId,
        worker_id: &WorkerId,
    ) -> Result<Worker, Failure> {
        let entry = self.admit(caller, Operation::GetWorker, runtime_id, Some(worker_id))?;
        let call = context(caller, entry);
        let mut worker = entry.settle(entry.handle.get_worker(worker_id, &call).await)?;
        entry.scrub.worker(&mut worker);
        Ok(worker)
    }

    /// One page of what was said.
    ///
    /// # Errors
    /// The Runtime's or the link's, and those of policy.
    pub async fn transcript(
        &self,
        caller: &Caller,
        runtime_id: &RuntimeId,
        worker_id: &WorkerId,
        query: &TranscriptQuery,
    ) -> Result<Transcript, Failure> {
        checked_limit(query.limit)?;
        let entry = self.admit(caller, Operation::Transcript, runtime_id, Some(worker_id))?;
        let call = context(caller, entry);
        entry.settle(entry.handle.transcript(worker_id, query, &call).await)
    }

    /// Watches a Worker, after `cursor` or from a snapshot on.
    ///
    /// # Errors
    /// Those of policy, of the cursor, of the Runtime and of the link, as the end of a stream
    /// that does not begin.
    pub async fn watch(
        &self,
        caller: &Caller,
        runtime_id: &RuntimeId,
        worker_id: &WorkerId,
        cursor: Option<&str>,
    ) -> Result<Watch, StreamEnd> {
        let begun = async {
            let entry = self.admit(caller, Operation::Events, runtime_id, Some(worker_id))?;
            let watched = HubContext {
                entry,
                keys: &self.inner.keys,
            };
            let call = context(caller, entry);
            self.inner
                .hub
                .watch(watched, worker_id, cursor, &call)
                .await
        };
        let begun = begun.await.map_err(StreamEnd::Failed);
        begun.inspect_err(telemetry::watch_ended)
    }

    /// One page of the Workers of all visible Runtimes, which are asked at the same time.
    ///
    /// # Errors
    /// `invalid_request` for a limit or a page that cannot be. A Runtime that fails is no error:
    /// it is named in `incomplete`.
    pub async fn all_workers(
        &self,
        caller: &Caller,
        query: &ListQuery,
    ) -> Result<WorkerSweep, Failure> {
        let limit = checked_limit(query.limit)?;
        let position = query
            .page
            .as_ref()
            .map(|page| Position::open(&self.inner.keys, page))
            .transpose()?;
        let due = self.visible(caller).filter(|entry| {
            position
                .as_ref()
                .is_none_or(|position| entry.runtime_id >= position.runtime_id)
        });
        let asking = due.map(|entry| {
            let position = position.as_ref();
            async move {
                let gathered = self.gather(caller, entry, position, query, limit).await;
                (entry.runtime_id.clone(), gathered)
            }
        });
        let parts = futures_util::future::join_all(asking).await;
        Ok(sweep::page(&self.inner.keys, limit, parts))
    }

    async fn gather(
        &self,
        caller: &Caller,
        entry: &Entry,
        position: Option<&Position>,
        query: &ListQuery,
        limit: usize,
    ) -> Gathered {
        let decision = self.decide(&Question {
            principal: &caller.principal,
            operation: Some(Operation::ListWorkers),
            runtime_id: &entry.runtime_id,
            worker_id: None,
        });
        match decision {
            Decision::Allow => {}
            // It is seen, so it is named.
            Decision::Deny => {
                return Gathered {
                    rest: Rest::Failed(Code::OperationDenied),
                    ..Gathered::default()
                };
            }
            Decision::Hide => return Gathered::default(),
        }
        let own = Instant::now() + entry.timeouts.list;
        let deadline = caller.deadline.map_or(own, |deadline| deadline.min(own));
        let call = CallContext {
            deadline: Some(deadline),
            ..context(caller, entry)
        };
        let expired = async {
            sleep_until(deadline).await;
            // The call is dropped, and says nothing itself.
            telemetry::gave_up_call();
            Code::RuntimeTimedOut
        };
        gather(
            &entry.runtime_id,
            position,
            (query.status, limit),
            expired,
            async |query| {
                let page = self.list(caller, entry, &query, &call).await?;
                Ok(WorkerPage {
                    workers: page.workers,
                    next_page: page.next_page,
                })
            },
        )
        .await
    }
}

/// A page, and how much of it the caller does not see.
struct Listed {
    workers: Vec<WorkerSummary>,
    hidden: usize,
    next_page: Option<PageToken>,
}
