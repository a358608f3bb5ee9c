//! The way to one Runtime: a bulkhead and a circuit round every call.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use yoi_client::Timeouts;
use yoi_protocol::{CircuitView, Code, Effect, Failure, Origin, Reason, Timestamp};

use super::bulkhead::{Bulkhead, BulkheadSettings};
use super::circuit::{Circuit, CircuitSettings, Sign};

/// The way to one Runtime.
#[derive(Debug)]
pub(super) struct Link {
    circuit: Mutex<Circuit>,
    bulkhead: Bulkhead,
    timeouts: Timeouts,
}

impl Link {
    pub(super) fn new(
        circuit: CircuitSettings,
        bulkhead: BulkheadSettings,
        timeouts: Timeouts,
    ) -> Self {
        Self {
            circuit: Mutex::new(Circuit::new(circuit)),
            bulkhead: Bulkhead::new(bulkhead),
            timeouts,
        }
    }

    /// Makes a call, if it may be made now: what is refused was not sent.
    pub(super) async fn call<T>(
        &self,
        deadline: Option<Instant>,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        // Who would be refused in the end does not wait before.
        let away = self.circuit().closed_for(Instant::now());
        if !away.is_zero() {
            return Err(refused(Reason::CircuitOpen, away));
        }
        let own = Instant::now() + self.timeouts.request;
        let deadline = deadline.map_or(own, |caller| caller.min(own));
        let entered = self.bulkhead.enter(deadline).await;
        let _place = entered.map_err(|_| refused(Reason::Overloaded, A_MOMENT))?;
        let admitted = self.circuit().admit(Instant::now());
        admitted.map_err(|away| refused(Reason::CircuitOpen, away))?;
        self.noted(call).await
    }

    /// Makes a call whatever happened before: to see how the Runtime is.
    pub(super) async fn look<T>(
        &self,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.noted(call).await
    }

    async fn noted<T>(&self, call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let began = Instant::now();
        let mut note = Note {
            link: self,
            sign: Sign::Nothing,
        };
        let result = call.await;
        note.sign = Sign::of(&result, began.elapsed(), &self.timeouts);
        result
    }

    /// Its circuit, to be shown.
    pub(super) fn view(&self) -> CircuitView {
        let (state, away) = self.circuit().view(Instant::now());
        let at = |away: Duration| {
            let away_ms = i64::try_from(away.as_millis()).unwrap_or(i64::MAX);
            Timestamp::from_unix_ms(Timestamp::now().as_unix_ms().saturating_add(away_ms))
        };
        CircuitView {
            state,
            next_probe_at: away.map(at),
        }
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When to come back to a Runtime that has no place.
const A_MOMENT: Duration = Duration::from_secs(1);

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
    sign: Sign,
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        let mut circuit = self.link.circuit();
        circuit.note(self.sign, Instant::now(), fastrand::f64());
    }
}
