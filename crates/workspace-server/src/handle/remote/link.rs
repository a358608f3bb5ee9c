//! The way to one Runtime: a bulkhead and a circuit round every call.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use yoi_client::Timeouts;
use yoi_protocol::{
    CircuitState, CircuitView, Code, Effect, Failure, Origin, Reason, RuntimeId, Timestamp,
};

use super::bulkhead::{Bulkhead, BulkheadSettings, NoPlace, Place};
use super::circuit::{A_MOMENT, Circuit, CircuitSettings, Sign, Ticket};
use crate::telemetry::{self, Counted};

/// The way to one Runtime.
pub(super) struct Link {
    runtime_id: RuntimeId,
    state: Mutex<State>,
    calls: Bulkhead,
    openings: Bulkhead,
    timeouts: Timeouts,
}

struct State {
    circuit: Circuit,
    /// While the circuit is not closed.
    counted: Option<Counted>,
}

impl Link {
    pub(super) fn new(
        runtime_id: RuntimeId,
        circuit: CircuitSettings,
        bulkhead: BulkheadSettings,
        timeouts: Timeouts,
    ) -> Self {
        Self {
            runtime_id,
            state: Mutex::new(State {
                circuit: Circuit::new(circuit),
                counted: None,
            }),
            calls: Bulkhead::new(bulkhead),
            openings: Bulkhead::new(bulkhead),
            timeouts,
        }
    }

    /// Makes a call, if it may be made now: what is refused was not sent.
    pub(super) async fn call<T>(
        &self,
        deadline: Option<Instant>,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let ticket = self.admitted(&self.calls, deadline).await?;
        self.noted(ticket, call, Sign::of).await
    }

    /// Opens a stream, if that may be done now. So many are opened at a time as there may be calls,
    /// and beside them: when many come back at once nobody's command waits for that.
    pub(super) async fn open<T>(
        &self,
        deadline: Option<Instant>,
        opening: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let ticket = self.admitted(&self.openings, deadline).await?;
        self.noted(ticket, opening, Sign::of_opening).await
    }

    /// Makes a call whatever happened before: to see how the Runtime is.
    pub(super) async fn look<T>(
        &self,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.noted((Ticket::Call, None), call, Sign::of_look).await
    }

    async fn admitted(
        &self,
        bulkhead: &Bulkhead,
        deadline: Option<Instant>,
    ) -> Result<(Ticket, Option<Place>), Failure> {
        // Who would be refused in the end does not wait before.
        let away = self.state().circuit.closed_for(Instant::now());
        if !away.is_zero() {
            return Err(refused(Reason::CircuitOpen, away));
        }
        let own = Instant::now() + self.timeouts.request;
        let deadline = deadline.map_or(own, |caller| caller.min(own));
        let entered = bulkhead.enter(deadline).await;
        let place = entered.map_err(|no_place| match no_place {
            NoPlace::Full => refused(Reason::Overloaded, A_MOMENT),
            // It has not begun, and there is no time left.
            NoPlace::Late => Failure::new(Code::TimedOut)
                .by(Origin::Backend)
                .with_effect(Effect::None),
        })?;
        let admitted = self.state().circuit.admit(Instant::now());
        let ticket = admitted.map_err(|away| refused(Reason::CircuitOpen, away))?;
        Ok((ticket, Some(place)))
    }

    async fn noted<T>(
        &self,
        (ticket, _place): (Ticket, Option<Place>),
        call: impl Future<Output = Result<T, Failure>>,
        sign: impl FnOnce(&Result<T, Failure>, Duration, &Timeouts) -> Sign,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let mut note = Note {
            link: self,
            ticket,
            sign: Sign::Nothing,
        };
        let result = call.await;
        note.sign = sign(&result, began.elapsed(), &self.timeouts);
        result
    }

    /// Its circuit, to be shown.
    pub(super) fn view(&self) -> CircuitView {
        let (state, away) = self.state().circuit.view(Instant::now());
        let at = |away: Duration| {
            let away_ms = i64::try_from(away.as_millis()).unwrap_or(i64::MAX);
            Timestamp::from_unix_ms(Timestamp::now().as_unix_ms().saturating_add(away_ms))
        };
        CircuitView {
            state,
            next_probe_at: away.map(at),
        }
    }

    /// Takes what a call tells, and says so where that opens or closes the circuit.
    fn note(&self, sign: Sign, ticket: Ticket) {
        let now = Instant::now();
        // The lock is let go before anything is logged.
        let news = {
            let State { circuit, counted } = &mut *self.state();
            circuit.note(sign, ticket, now, fastrand::f64());
            let is_open = circuit.view(now).0 != CircuitState::Closed;
            let is_news = is_open != counted.is_some();
            if is_news {
                *counted = is_open.then(Counted::open_circuit);
            }
            is_news.then_some(is_open)
        };
        match news {
            Some(true) => telemetry::left_alone(&self.runtime_id),
            Some(false) => telemetry::asked_again(&self.runtime_id),
            None => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What this Backend refuses by itself: no byte was sent.
fn refused(reason: Reason, away: Duration) -> Failure {
    let away_ms = u64::try_from(away.as_millis()).unwrap_or(u64::MAX);
    Failure::new(Code::RuntimeUnavailable)
        .by(Origin::Backend)
        .with_reason(reason)
        .with_effect(Effect::None)
        .with_retry_after_ms(away_ms.max(1))
}

/// Tells the circuit of a call, also of one that was given up.
struct Note<'a> {
    link: &'a Link,
    ticket: Ticket,
    sign: Sign,
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        self.link.note(self.sign, self.ticket);
    }
}

#[cfg(test)]
mod tests;
