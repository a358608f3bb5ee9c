//! What was said.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use yoi_protocol::{Entry, Role, Transcript};

use super::{MAX_COUNT, run_id, runtime_id, text, timestamp, worker_id};

/// Who said something.
pub fn role() -> impl Strategy<Value = Role> + Clone {
    select(&[Role::User, Role::Assistant, Role::System, Role::Tool][..])
}

/// One thing that was said, anywhere in a transcript.
pub fn entry() -> impl Strategy<Value = Entry> + Clone {
    let sequence = 1..=MAX_COUNT;
    (
        sequence,
        role(),
        text(),
        run_id(),
        timestamp(),
        any::<bool>(),
    )
        .prop_map(|(sequence, role, content, run_id, at, redacted)| Entry {
            sequence,
            role,
            content,
            run_id,
            at,
            redacted,
        })
}

/// Up to four entries with the numbers from `first_sequence` on, or from a later one.
pub(super) fn entries() -> impl Strategy<Value = (u64, Vec<Entry>)> + Clone {
    (1..1_u64 << 40, 0..1000_u64, vec(entry(), 0..=4)).prop_map(|(first, later, mut entries)| {
        for (sequence, entry) in (first + later..).zip(&mut entries) {
            entry.sequence = sequence;
        }
        (first, entries)
    })
}

/// One page of a transcript: its entries are numbered without a hole, and `next_after` is the
/// number of the last.
///
/// ```
/// use proptest::prelude::*;
/// use yoi_testkit::strategies::transcript;
///
/// proptest!(|(page in transcript())| {
///     for pair in page.entries.windows(2) {
///         prop_assert_eq!(pair[1].sequence, pair[0].sequence + 1);
///     }
/// });
/// ```
pub fn transcript() -> impl Strategy<Value = Transcript> + Clone {
    (runtime_id(), worker_id(), entries(), option::of(Just(()))).prop_map(
        |(runtime_id, worker_id, (first_sequence, entries), more)| {
            let last = entries.last().map(|entry| entry.sequence);
            Transcript {
                runtime_id,
                worker_id,
                first_sequence,
                next_after: more.and(last),
                entries,
            }
        },
    )
}
