//! Answers by their keys, oldest first to go.

use std::collections::{HashMap, VecDeque};

use yoi_protocol::Timestamp;

type Key = [u8; 32];

/// What is kept under each key, and when the answer was given. A store says what that is: the
/// answer itself, or where it is.
///
/// Times need not rise: two commands may be committed in another order than they were answered
/// in, and clocks are set back. There may be a million of them, so times are milliseconds, and
/// those by time are in one piece.
#[derive(Debug)]
pub(super) struct Answers<V> {
    held: HashMap<Key, (i64, V)>,
    /// All that are held, oldest first.
    by_time: VecDeque<(i64, Key)>,
}

impl<V> Default for Answers<V> {
    fn default() -> Self {
        Self {
            held: HashMap::new(),
            by_time: VecDeque::new(),
        }
    }
}

impl<V> Answers<V> {
    /// Keeps an answer that was given at `at`; one under the same key is replaced.
    pub(super) fn insert(&mut self, key: Key, at: Timestamp, value: V) {
        let at = at.as_unix_ms();
        if let Some((earlier, _)) = self.held.insert(key, (at, value))
            && let Ok(place) = self.by_time.binary_search(&(earlier, key))
        {
            self.by_time.remove(place);
        }
        if self.by_time.back().is_none_or(|last| *last < (at, key)) {
            self.by_time.push_back((at, key));
        } else if let Err(place) = self.by_time.binary_search(&(at, key)) {
            self.by_time.insert(place, (at, key));
        }
    }

    /// Keeps something else under a key that is held, of the same time.
    #[cfg_attr(
        not(feature = "fs-store"),
        expect(dead_code, reason = "for what is kept elsewhere")
    )]
    pub(super) fn replace(&mut self, key: &Key, value: V) {
        if let Some((_, held)) = self.held.get_mut(key) {
            *held = value;
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&V> {
        self.held.get(key).map(|(_, value)| value)
    }

    /// Drops those that were given before `before`, and says how many are left. Costs nothing
    /// when there are none.
    pub(super) fn expire(&mut self, before: Timestamp) -> u64 {
        let before = before.as_unix_ms();
        while let Some((at, key)) = self.by_time.front()
            && *at < before
        {
            self.held.remove(key);
            self.by_time.pop_front();
        }
        self.held.len() as u64
    }
}

#[cfg(test)]
mod tests;
