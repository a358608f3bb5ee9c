//! The Workers of all Runtimes.

use std::time::Duration;

use serde_json::{Value, json};
use yoi_testkit::{FakeRuntime, MountedStub, TestRuntime};
use yoi_workspace_server::{Backend, CallTimeouts, Registration};

use crate::support::{Served, embedded, registered, remote};

/// A Runtime that takes longer than anyone waits, and how long the Backend does.
async fn slow(name: &str, list: Duration) -> (FakeRuntime, MountedStub, Registration) {
    let fake = FakeRuntime::start(name).await;
    let stub = fake.list_workers().after(Duration::from_secs(60));
    let stub = stub.any_times().mount().await;
    let registration = given(list, registered(&fake));
    (fake, stub, registration)
}

/// A Runtime that has so long for its part of the list.
fn given(list: Duration, registration: Registration) -> Registration {
    registration.timeouts(CallTimeouts {
        list,
        ..CallTimeouts::default()
    })
}

/// How long whoever answers may take for it.
const PATIENT: Duration = Duration::from_secs(60);

/// A Backend over four Runtimes, of which the third does not answer. The others are to be held.
async fn fleet() -> (Served, TestRuntime, (FakeRuntime, MountedStub)) {
    let (a, _script) = embedded("a").await;
    let (b, _script) = remote("b").await;
    let (fake, list, stuck) = slow("c-slow", Duration::from_millis(200)).await;
    let (d, _script) = embedded("d").await;
    let builder = Backend::builder()
        .runtime(given(PATIENT, Registration::embedded(a)))
        .runtime(given(PATIENT, registered(&b)))
        .runtime(stuck)
        .runtime(given(PATIENT, Registration::embedded(d)));
    let served = Served::start(builder).await;
    for (runtime, count) in [("a", 3), ("b", 4), ("d", 2)] {
        for n in 0..count {
            served.create(runtime, &format!("w-{n}")).await;
        }
    }
    (served, b, (fake, list))
}

fn refs(body: &Value) -> Vec<String> {
    let workers = body["workers"].as_array().unwrap();
    workers
        .iter()
        .map(|w| {
            format!(
                "{}/{}",
                w["runtime_id"].as_str().unwrap(),
                w["worker_id"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn pages_go_past_a_runtime_that_does_not_answer_and_name_it() {
    let (served, _b, _slow) = fleet().await;
    let all = [
        "a/w-0", "a/w-1", "a/w-2", "b/w-0", "b/w-1", "b/w-2", "b/w-3", "d/w-0", "d/w-1",
    ];
    for limit in [1, 2, 4, 5, 100] {
        let (mut seen, mut named, mut page) = (Vec::new(), 0, String::new());
        loop {
            let reply = served
                .get(&format!("/api/workers?limit={limit}{page}"))
                .await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            seen.extend(refs(&reply.body));
            for incomplete in reply.body["incomplete"].as_array().unwrap() {
                assert_eq!(
                    *incomplete,
                    json!({"runtime_id": "c-slow", "code": "runtime_timed_out"})
                );
                named += 1;
            }
            match reply.body["next_page"].as_str() {
                Some(next) => page = format!("&page={next}"),
                None => break,
            }
        }
        assert_eq!(seen, all, "limit {limit}");
        assert_eq!(named, 1, "limit {limit}");
    }
}

#[tokio::test]
async fn a_limit_a_page_and_a_status_that_cannot_be_are_named() {
    let (served, _b, _slow) = fleet().await;
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("limit=many", "/limit"),
        ("page=forged", "/page"),
        ("page=a%20b", "/page"),
        ("status=asleep", "/status"),
    ] {
        let reply = served.get(&format!("/api/workers?{query}")).await;
        assert_eq!(reply.brief(), "400 invalid_request backend -", "{query}");
        assert_eq!(
            reply.body["errors"][0]["pointer"], pointer,
            "{}",
            reply.text
        );
    }
    let none = served.get("/api/workers?status=stopped").await;
    assert_eq!(refs(&none.body), Vec::<String>::new());
}

#[tokio::test]
async fn all_are_asked_at_the_same_time() {
    let mut builder = Backend::builder();
    let mut fakes = Vec::new();
    for n in 0..6 {
        let (fake, list, registration) = slow(&format!("slow-{n}"), Duration::from_secs(600)).await;
        fakes.push((fake, list));
        builder = builder.runtime(registration);
    }
    let served = Served::start(builder).await;
    let all_asked = async {
        for (_fake, list) in &fakes {
            list.until_asked(1).await;
        }
    };
    // None has answered by then: who asked one after the other would have asked one.
    tokio::select! {
        reply = served.get("/api/workers") => panic!("somebody answered: {reply:?}"),
        () = all_asked => {}
    }
}

#[tokio::test]
async fn workers_that_come_and_go_between_pages_move_no_other() {
    let (a, _script) = embedded("a").await;
    let (b, _script) = remote("b").await;
    let builder = Backend::builder()
        .runtime(given(PATIENT, Registration::embedded(a)))
        .runtime(given(PATIENT, registered(&b)));
    let served = Served::start(builder).await;
    let mut stay = Vec::new();
    for runtime in ["a", "b"] {
        for n in 0..6 {
            served.create(runtime, &format!("w-{n}0")).await;
            stay.push(format!("{runtime}/w-{n}0"));
        }
    }
    for limit in [1, 2, 5] {
        let (mut seen, mut page, mut turn) = (Vec::new(), String::new(), 0_u8);
        loop {
            let reply = served
                .get(&format!("/api/workers?limit={limit}{page}"))
                .await;
            seen.extend(refs(&reply.body));
            let Some(next) = reply.body["next_page"].as_str() else {
                break;
            };
            page = format!("&page={next}");
            // One before every place there is, which is stopped, and one after. Not for ever, or
            // the list would never end.
            for runtime in ["a", "b"].into_iter().filter(|_| turn < 5) {
                let path = served.create(runtime, &format!("v-{limit}-{turn}")).await;
                served.post(&format!("{path}/stop"), json!({})).await;
                served
                    .create(runtime, &format!("x-{limit}-{turn:02}"))
                    .await;
            }
            turn += 1;
        }
        let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(
            distinct.len(),
            seen.len(),
            "repeated, limit {limit}: {seen:?}"
        );
        let missing: Vec<_> = stay.iter().filter(|one| !distinct.contains(one)).collect();
        assert!(missing.is_empty(), "skipped, limit {limit}: {missing:?}");
        assert!(seen.is_sorted(), "{seen:?}");
    }
}
