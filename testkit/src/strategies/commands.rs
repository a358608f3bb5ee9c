//! Bodies and answers of commands, and the queries of reads.

use proptest::option;
use proptest::prelude::*;
use yoi_protocol::list::MAX_LIMIT;
use yoi_protocol::{
    CancelRequest, Cancelled, InputAccepted, InputKind, InputRequest, ListQuery, StopRequest,
    Stopped, TranscriptQuery, WorkerStatus,
};

use super::{
    MAX_COUNT, count, cursor, page_token, run_id, runtime_id, text, timestamp, worker, worker_id,
    worker_status,
};

/// The body of an input.
///
/// ```
/// use proptest::prelude::*;
/// use worker_runtime::{CommandContext, Runtime};
/// use yoi_protocol::{CreateWorker, RuntimeId};
/// use yoi_testkit::strategies::input_request;
///
/// # fn main() {
/// let threads = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// let plain = CommandContext::default;
/// let runtime = threads.block_on(Runtime::builder(RuntimeId::parse("r").unwrap()).start()).unwrap();
/// proptest!(|(input in input_request())| threads.block_on(async {
///     let created = runtime.create_worker(CreateWorker::default(), plain()).await.unwrap();
///     let worker_id = created.value.worker_id;
///     let accepted = runtime.send_input(&worker_id, input, plain()).await.unwrap();
///     prop_assert_eq!(accepted.value.sequence, 1);
///     Ok(())
/// })?);
/// # }
/// ```
pub fn input_request() -> impl Strategy<Value = InputRequest> + Clone {
    (text(), option::of(Just(InputKind::User)))
        .prop_map(|(content, kind)| InputRequest { content, kind })
}

/// The answer to an input.
pub fn input_accepted() -> impl Strategy<Value = InputAccepted> + Clone {
    let place = (runtime_id(), worker_id(), run_id());
    (place, 1..=MAX_COUNT, cursor(), timestamp()).prop_map(
        |((runtime_id, worker_id, run_id), sequence, cursor, accepted_at)| InputAccepted {
            runtime_id,
            worker_id,
            run_id,
            sequence,
            cursor,
            accepted_at,
        },
    )
}

/// The body of a cancel.
pub fn cancel_request() -> impl Strategy<Value = CancelRequest> + Clone {
    (option::of(run_id()), option::of(text()))
        .prop_map(|(run_id, reason)| CancelRequest { run_id, reason })
}

/// The answer to a cancel: of a run, or of none.
pub fn cancelled() -> impl Strategy<Value = Cancelled> + Clone {
    (worker(), option::of(run_id())).prop_map(|(worker, cancelled_run_id)| Cancelled {
        worker,
        cancelled_run_id,
    })
}

/// The body of a stop.
pub fn stop_request() -> impl Strategy<Value = StopRequest> + Clone {
    option::of(text()).prop_map(|reason| StopRequest { reason })
}

/// The answer to a stop: its Worker is stopped.
pub fn stopped() -> impl Strategy<Value = Stopped> + Clone {
    worker().prop_map(|mut worker| {
        worker.status = WorkerStatus::Stopped;
        worker.active_run = None;
        Stopped { worker }
    })
}

/// The query of a list. Its page token has the form of one; no server made it.
pub fn list_query() -> impl Strategy<Value = ListQuery> + Clone {
    let limit = option::of(1..=MAX_LIMIT);
    (option::of(worker_status()), limit, option::of(page_token())).prop_map(
        |(status, limit, page)| ListQuery {
            status,
            limit,
            page,
        },
    )
}

/// The query of a transcript.
pub fn transcript_query() -> impl Strategy<Value = TranscriptQuery> + Clone {
    (option::of(count()), option::of(1..=MAX_LIMIT))
        .prop_map(|(after, limit)| TranscriptQuery { after, limit })
}
