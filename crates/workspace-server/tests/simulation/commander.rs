//! A client who tells a Worker what to do, and does not rest until each command is acknowledged.

use yoi_client::{Answer, Call, CallError, Workers};
use yoi_protocol::{
    CancelRequest, Code, CreateWorker, Effect, IdempotencyKey, InputRequest, RuntimeId,
    StopRequest, WorkerId,
};

use super::client::{Desk, pause};
use super::ledger::Told;

/// Creates the Worker, tells it so much, and stops it.
pub(crate) async fn command(desk: Desk, runtime: RuntimeId, worker: WorkerId, inputs: u32) {
    let create = CreateWorker {
        worker_id: Some(worker.clone()),
        ..CreateWorker::default()
    };
    let created = insist(&desk, &runtime, "create", async |workers, call| {
        workers.create(&create, &call).await
    });
    desk.ledger.created(created.await);
    for input in 0..inputs {
        pause(1500).await;
        let content = format!("{worker}/{input}");
        let body = InputRequest::new(content.clone());
        let accepted = insist(&desk, &runtime, &content, async |workers, call| {
            workers.input(&worker, &body, &call).await
        });
        let accepted = accepted.await;
        let run_id = accepted.run_id.clone();
        desk.ledger.told(Told { content, accepted });
        if fastrand::u8(..4) == 0 {
            pause(800).await;
            let body = CancelRequest {
                run_id: Some(run_id),
                ..CancelRequest::default()
            };
            let what = format!("cancel {input}");
            insist(&desk, &runtime, &what, async |workers, call| {
                workers.cancel(&worker, &body, &call).await
            })
            .await;
        }
    }
    pause(3000).await;
    insist(&desk, &runtime, "stop", async |workers, call| {
        workers.stop(&worker, &StopRequest::default(), &call).await
    })
    .await;
    desk.ledger.done();
}

/// Sends a command until it is acknowledged. What had certainly no effect is sent as a new
/// command; what may have had one, as the same: so whatever is told of an effect must be true.
async fn insist<T>(
    desk: &Desk,
    runtime: &RuntimeId,
    what: &str,
    ask: impl AsyncFn(Workers, Call) -> Result<Answer<T>, CallError>,
) -> T {
    let (mut number, mut effect) = (0, Effect::None);
    loop {
        let key = format!("{}:{what}:{number}", desk.name).replace(' ', "-");
        let call = Call::keyed(IdempotencyKey::parse(&key).unwrap());
        let failure = match ask(desk.workers(runtime), call).await {
            Ok(answer) => {
                desk.trace(format_args!("{key}: done"));
                return answer.value;
            }
            Err(error) => error.failure,
        };
        desk.trace(format_args!("{key}: {} {:?}", failure.code, failure.effect));
        if failure.code != Code::WorkerBusy {
            desk.bears(&failure);
        }
        effect = effect.and(failure.effect);
        if effect == Effect::None {
            number += 1;
        }
        pause(600).await;
    }
}
