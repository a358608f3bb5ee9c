//! What nobody expected, and how a test gets to know of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Received;

/// The requests that no stub answered, over which a stub panicked, and that were not let in; and
/// the stubs that there were.
#[derive(Debug, Default)]
pub(super) struct Unexpected {
    requests: Mutex<Vec<Received>>,
    routes: Mutex<Vec<String>>,
    panics: Mutex<Vec<(Received, String)>>,
    refused: Mutex<Vec<Received>>,
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

    /// A stub panicked over a request.
    pub(super) fn panicked(&self, request: Received, message: &str) {
        locked(&self.panics).push((request, message.to_owned()));
    }

    /// The gate refused a request.
    pub(super) fn refused(&self, request: Received) {
        locked(&self.refused).push(request);
    }

    /// All that the gate refused so far.
    pub(super) fn all_refused(&self) -> Vec<Received> {
        locked(&self.refused).clone()
    }

    /// What to tell a test of all this; nothing when there is nothing.
    pub(super) fn told(&self, id: &str) -> Option<String> {
        let told: Vec<_> = self
            .panics_told(id)
            .into_iter()
            .chain(self.requests_told(id))
            .collect();
        (!told.is_empty()).then(|| told.join("\n"))
    }

    fn panics_told(&self, id: &str) -> Option<String> {
        let panics = std::mem::take(&mut *locked(&self.panics));
        let told: Vec<_> = panics
            .iter()
            .map(|(request, message)| {
                format!(
                    "a stub of the fake runtime {id} panicked: {message}\nit was asked {request}"
                )
            })
            .collect();
        (!told.is_empty()).then(|| told.join("\n"))
    }

    fn requests_told(&self, id: &str) -> Option<String> {
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
