//! Answers by their keys, oldest first to go.

use std::collections::{BTreeSet, HashMap};

use yoi_protocol::Timestamp;

type Key = [u8; 32];

/// What is kept under each key, and when the answer was given. A store says what that is: the
/// answer itself, or where it is.
///
/// Times need not rise: two commands may be committed in another order than they were answered
/// in, and clocks are set back.
#[derive(Debug)]
pub(super) struct Answers<V> {
    held: HashMap<Key, (Timestamp, V)>,
    /// All that are held, oldest first.
    by_time: BTreeSet<(Timestamp, Key)>,
}

impl<V> Default for Answers<V> {
    fn default() -> Self {
        Self {
            held: HashMap::new(),
            by_time: BTreeSet::new(),
        }
    }
}

impl<V> Answers<V> {
    /// Keeps an answer that was given at `at`; one under the same key is replaced.
    pub(super) fn insert(&mut self, key: Key, at: Timestamp, value: V) {
        if let Some((earlier, _)) = self.held.insert(key, (at, value)) {
            self.by_time.remove(&(earlier, key));
        }
        self.by_time.insert((at, key));
    }

    pub(super) fn get(&self, key: &Key) -> Option<&V> {
        self.held.get(key).map(|(_, value)| value)
    }

    /// Drops those that were given before `before`, and says how many are left. Costs nothing
    /// when there are none.
    pub(super) fn expire(&mut self, before: Timestamp) -> u64 {
        while let Some((at, key)) = self.by_time.first()
            && *at < before
        {
            self.held.remove(key);
            self.by_time.pop_first();
        }
        self.held.len() as u64
    }
}

#[cfg(test)]
mod tests;
