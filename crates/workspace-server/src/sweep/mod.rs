//! The Workers of all Runtimes, as one list in pages.

mod gather;
mod position;

use yoi_protocol::{Code, Failure, Incomplete, RuntimeId, WorkerSummary, WorkerSweep};

use crate::seal::KeyRing;
pub(crate) use gather::{Gathered, Rest, gather};
pub(crate) use position::Position;

/// Makes one page of what the Runtimes told.
///
/// `parts` are in the order of their ids, from the page's position on. Runtimes that failed are
/// named, and the list goes on past them; those that the page does not reach are not named, for
/// none of their Workers is missing from it.
pub(crate) fn page(keys: &KeyRing, limit: usize, parts: Vec<(RuntimeId, Gathered)>) -> WorkerSweep {
    let mut workers: Vec<WorkerSummary> = Vec::new();
    let mut incomplete = Vec::new();
    let mut next = None;
    for (runtime_id, part) in parts {
        let room = limit - workers.len();
        if room == 0 {
            if part.is_empty() {
                continue;
            }
            next = Some(Position::start_of(runtime_id));
            break;
        }
        let Gathered { pages, rest } = part;
        let mut left = room;
        let mut cut = None;
        for (token, items) in pages {
            if cut.is_some() {
                break;
            }
            let taken = items.len().min(left);
            left -= taken;
            let more = items.len() > taken;
            workers.extend(items.into_iter().take(taken));
            if more {
                cut = Some(token);
            }
        }
        let last = || workers.last().map(|worker| worker.worker_id.clone());
        match (cut, rest) {
            (Some(token), _) => {
                next = Some(Position::after(runtime_id, token, last()));
                break;
            }
            (None, Rest::More(token)) => {
                next = Some(Position::after(runtime_id, Some(token), last()));
                break;
            }
            (None, Rest::Nothing) => {}
            (None, Rest::Failed(code)) => incomplete.push(Incomplete { runtime_id, code }),
        }
    }
    let next_page = next.map(|position| position.seal(keys));
    WorkerSweep {
        workers,
        incomplete,
        next_page,
    }
}

/// A page that no Backend could have made.
pub(crate) fn bad_page() -> Failure {
    Failure::new(Code::InvalidRequest)
        .with_error("/page", "must be the next_page of an earlier answer")
}

#[cfg(test)]
mod tests;
