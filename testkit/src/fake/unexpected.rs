//! What nobody expected, and how a test gets to know of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Received;

/// The requests that no stub answered, and the stubs that there were.
#[derive(Debug, Default)]
pub(super) struct Unexpected {
    requests: Mutex<Vec<Received>>,
    routes: Mutex<Vec<String>>,
}

impl Unexpected {
    pub(super) fn came(&self, request: Received) {
        locked(&self.requests).push(request);
    }

    pub(super) fn mounted(&self, route: &str) {
        locked(&self.routes).push(route.to_owned());
    }

    pub(super) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut locked(&self.requests))
    }

    /// What to tell a test of them; nothing when there are none.
    pub(super) fn told(&self, id: &str) -> Option<String> {
        let requests = self.take();
        if requests.is_empty() {
            return None;
        }
        let mut text = format!(
            "the fake runtime {id} was asked {} time(s) for what no stub answers:",
            requests.len()
        );
        for request in &requests {
            text.push_str(&format!("\n- {request}"));
        }
        text.push_str("\nstubs there were, some of them perhaps used up or dropped already:");
        for route in locked(&self.routes).iter() {
            text.push_str(&format!("\n- {route}"));
        }
        Some(text)
    }
}

/// A lock that a panicking test may have left behind: what it guards is whole all the same.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
