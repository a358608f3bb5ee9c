//! What one Runtime has to say for a page: its Workers from a position on, as many as fit.

use std::future::Future;

use yoi_protocol::{
    Code, Failure, ListQuery, PageToken, RuntimeId, WorkerId, WorkerPage, WorkerStatus,
    WorkerSummary,
};

use super::Position;
use crate::handle::protocol_error;

/// The Workers that were gathered, in pages with the token that asked for each.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) pages: Vec<(Option<PageToken>, Vec<WorkerSummary>)>,
    pub(crate) rest: Rest,
}

impl Gathered {
    /// Whether there is nothing here to be shown or told.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.rest, Rest::Nothing) && self.pages.iter().all(|(_, items)| items.is_empty())
    }

    fn len(&self) -> usize {
        self.pages.iter().map(|(_, items)| items.len()).sum()
    }
}

/// What comes after the Workers that were gathered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Rest {
    /// No more.
    #[default]
    Nothing,
    /// More, behind this token.
    More(PageToken),
    /// Nobody knows.
    Failed(Code),
}

/// Gathers up to `limit` Workers from `position` on (from the start where it is of another
/// Runtime) by asking `list` for one page after another until `expired` resolves.
///
/// What was gathered before a failure is kept. Each page must rise by id, within itself and from
/// page to page, and be of the Runtime that was asked.
pub(crate) async fn gather<F, Fut>(
    runtime_id: &RuntimeId,
    position: Option<&Position>,
    (status, limit): (Option<WorkerStatus>, usize),
    expired: impl Future<Output = Code>,
    mut list: F,
) -> Gathered
where
    F: FnMut(ListQuery) -> Fut,
    Fut: Future<Output = Result<WorkerPage, Failure>>,
{
    let position = position.filter(|position| position.runtime_id == *runtime_id);
    let mut token = position.and_then(|position| position.page.clone());
    let mut last = position.and_then(|position| position.last.clone());
    let mut gathered = Gathered::default();
    let mut expired = std::pin::pin!(expired);
    loop {
        let query = ListQuery {
            status,
            limit: Some(limit as u64),
            page: token.clone(),
        };
        let answer = tokio::select! {
            biased;
            code = &mut expired => {
                gathered.rest = Rest::Failed(code);
                return gathered;
            }
            answer = list(query) => answer,
        };
        let page = match answer {
            Ok(page) => page,
            // The Runtime does not know its own token any more. Its first page it does know,
            // and what was shown already is dropped by id.
            Err(failure) if failure.code == Code::InvalidRequest && token.is_some() => {
                token = None;
                continue;
            }
            Err(failure) => {
                gathered.rest = Rest::Failed(failure.code);
                return gathered;
            }
        };
        let Some(items) = fresh(runtime_id, &mut last, page.workers) else {
            gathered.rest = Rest::Failed(protocol_error().code);
            return gathered;
        };
        gathered.pages.push((token.take(), items));
        let Some(next) = page.next_page else {
            return gathered;
        };
        if gathered.len() >= limit {
            gathered.rest = Rest::More(next);
            return gathered;
        }
        token = Some(next);
    }
}

/// The items after `last`, which moves along; `None` when they are not a Runtime's list.
fn fresh(
    runtime_id: &RuntimeId,
    last: &mut Option<WorkerId>,
    items: Vec<WorkerSummary>,
) -> Option<Vec<WorkerSummary>> {
    let rising = items
        .windows(2)
        .all(|pair| pair[0].worker_id < pair[1].worker_id);
    if !rising || items.iter().any(|item| item.runtime_id != *runtime_id) {
        return None;
    }
    let items: Vec<_> = items
        .into_iter()
        .filter(|item| last.as_ref().is_none_or(|last| item.worker_id > *last))
        .collect();
    if let Some(item) = items.last() {
        *last = Some(item.worker_id.clone());
    }
    Some(items)
}
