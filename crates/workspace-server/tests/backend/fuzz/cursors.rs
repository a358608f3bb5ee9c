//! Cursors that nobody handed out, or for something else.

use fastrand::Rng;
use yoi_protocol::{Code, CreateWorker, RuntimeId, StreamEnd, WorkerId};
use yoi_testkit::Fuzz;
use yoi_workspace_server::{Backend, Caller, KeyRing, Registration, SealKey};

use super::spoil;
use super::told::Told;
use crate::support::{STILL, embedded, id};

/// How many cases there are where no time is given.
const CASES: u64 = 2000;

/// A Worker, and the cursors that were handed out for it.
struct Place {
    runtime_id: RuntimeId,
    worker_id: WorkerId,
    cursors: Vec<String>,
}

async fn place(backend: &Backend, runtime: &str, worker: &str) -> Place {
    let (runtime_id, worker_id) = (id(runtime), WorkerId::parse(worker).unwrap());
    let body = CreateWorker {
        worker_id: Some(worker_id.clone()),
        ..CreateWorker::default()
    };
    let who = Caller::default();
    let created = backend.create_worker(who.clone(), &runtime_id, body);
    created.await.unwrap();
    let stop = yoi_protocol::StopRequest::default();
    let watch = backend.watch(&who, &runtime_id, &worker_id, None);
    let mut watch = watch.await.unwrap();
    let stopped = backend.stop(who.clone(), &runtime_id, &worker_id, stop);
    stopped.await.unwrap();
    let mut told = Told::default();
    told.read(&mut watch).await;
    let cursors = told
        .frames
        .iter()
        .filter_map(|frame| frame["cursor"].as_str());
    Place {
        runtime_id,
        worker_id,
        cursors: cursors.map(str::to_owned).collect(),
    }
}

async fn refused(backend: &Backend, place: &Place, cursor: &str) -> Option<Code> {
    let who = Caller::default();
    let watch = backend.watch(&who, &place.runtime_id, &place.worker_id, Some(cursor));
    match watch.await {
        Ok(_) => None,
        Err(StreamEnd::Failed(failure)) => Some(failure.code),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn cursors_that_nobody_handed_out_lead_nowhere() {
    let (inside, _script) = embedded("inside").await;
    let (other, _script) = embedded("other").await;
    let backend = |key: SealKey| {
        let builder = Backend::builder()
            .runtime(Registration::embedded(inside.clone()))
            .runtime(Registration::embedded(other.clone()));
        let keys = KeyRing::new(key, Vec::new());
        builder.keys(keys).presence(STILL).build().unwrap()
    };
    let key = |letter: &str| SealKey::from_base64(&format!("{}=", letter.repeat(43))).unwrap();
    let (ours, gone) = (backend(key("A")), backend(key("E")));
    let places = [
        place(&ours, "inside", "w-1").await,
        place(&ours, "inside", "w-2").await,
        place(&ours, "other", "w-1").await,
    ];
    let forgotten = place(&gone, "inside", "w-3").await.cursors;
    let genuine: Vec<&String> = places.iter().flat_map(|place| &place.cursors).collect();
    let mut led = 0_u64;
    let cases = Fuzz::cases(CASES)
        .run(async |seed| {
            let mut rng = Rng::with_seed(seed);
            let place = &places[rng.usize(..places.len())];
            let one = genuine[rng.usize(..genuine.len())];
            let another = genuine[rng.usize(..genuine.len())];
            let cut = rng.usize(..=one.len());
            let (cursor, expected) = match rng.u8(..10) {
                0 => (one.clone(), Code::CursorUnknown),
                1 => {
                    let forgotten = &forgotten[rng.usize(..forgotten.len())];
                    (forgotten.clone(), Code::CursorUnknown)
                }
                2..4 => {
                    let rest = another.get(cut..).unwrap_or_default();
                    (format!("{}{rest}", &one[..cut]), Code::CursorInvalid)
                }
                _ => (spoil::text(&mut rng, one), Code::CursorInvalid),
            };
            let is_ours = place.cursors.contains(&cursor);
            let code = refused(&ours, place, &cursor).await;
            let is_right = match code {
                None => is_ours,
                Some(code) if genuine.contains(&&cursor) => !is_ours && code == Code::CursorUnknown,
                // What stands for the key may be spoiled as well: then it is one that is gone.
                Some(code) => code == expected || code == Code::CursorUnknown,
            };
            led += u64::from(code.is_none());
            if is_right {
                Ok(())
            } else {
                Err(format!("{code:?} for {cursor:?}, made of {one:?}"))
            }
        })
        .await;
    println!("cursors: {cases} cases, {led} of them genuine");
    assert!(
        led * 100 > cases && led * 2 < cases,
        "hardly anything was tried"
    );
}
