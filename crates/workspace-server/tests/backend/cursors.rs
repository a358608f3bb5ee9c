//! The Backend's cursors: sealed, and good at any Backend that has the key.

use yoi_workspace_server::{Backend, KeyRing, Registration, SealKey};

use crate::support::{Served, embedded};

fn key(byte: &str) -> SealKey {
    SealKey::from_base64(&format!("{}=", byte.repeat(43))).unwrap()
}

#[tokio::test]
async fn a_cursor_outlives_the_backend_that_sealed_it_and_rotates() {
    let (runtime, mut script) = embedded("inside").await;
    let registration = || Registration::embedded(runtime.clone());
    let start = async |keys: KeyRing| {
        Served::start(Backend::builder().runtime(registration()).keys(keys)).await
    };
    let first = start(KeyRing::new(key("A"), Vec::new())).await;
    let path = first.create("inside", "w-1").await;
    let other = first.create("inside", "w-2").await;
    let accepted = first.input(&path).await;
    let cursor = accepted.body["cursor"].as_str().unwrap().to_owned();
    script.next_run().await.complete();
    let query = format!("?cursor={cursor}");

    let again = start(KeyRing::new(key("A"), Vec::new())).await;
    let rotated = start(KeyRing::new(key("E"), vec![key("A")])).await;
    for served in [&first, &again, &rotated] {
        let mut watcher = served.watch(&path, &query).await;
        let frames = watcher.until_event("run_finished").await;
        assert_eq!(frames[0]["event"]["type"], "run_started", "{frames:?}");
    }
    let gone = start(KeyRing::new(key("E"), Vec::new())).await;
    let mut watcher = gone.watch(&path, &query).await;
    assert_eq!(watcher.end().await, (Some("cursor_unknown".into()), 4410));
    let mut watcher = first.watch(&other, &query).await;
    assert_eq!(
        watcher.end().await,
        (Some("cursor_unknown".into()), 4410),
        "another worker's"
    );
    for bad in [
        cursor[..cursor.len() - 2].to_owned(),
        format!("{cursor}A"),
        format!("B{}", &cursor[1..]),
    ] {
        let mut watcher = first.watch(&path, &format!("?cursor={bad}")).await;
        assert_eq!(
            watcher.end().await,
            (Some("cursor_invalid".into()), 4400),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_cursor_of_another_life_is_unknown_and_a_runtimes_own_is_invalid() {
    let keys = || KeyRing::new(key("A"), Vec::new());
    let (old, _script) = embedded("inside").await;
    let over = async |runtime| {
        let builder = Backend::builder().runtime(Registration::embedded(runtime));
        Served::start(builder.keys(keys())).await
    };
    let served = over(old.clone()).await;
    let path = served.create("inside", "w-1").await;
    let mut watcher = served.watch(&path, "").await;
    let cursor = watcher.frame().await["cursor"].as_str().unwrap().to_owned();

    let (new, _script) = embedded("inside").await;
    let reborn = over(new).await;
    reborn.create("inside", "w-1").await;
    let mut watcher = reborn.watch(&path, &format!("?cursor={cursor}")).await;
    assert_eq!(watcher.end().await, (Some("cursor_unknown".into()), 4410));

    let worker = yoi_protocol::WorkerId::parse("w-1").unwrap();
    let own = old
        .observe(&worker, None)
        .await
        .unwrap()
        .next()
        .await
        .unwrap()
        .cursor
        .unwrap();
    let mut watcher = served.watch(&path, &format!("?cursor={own}")).await;
    assert_eq!(watcher.end().await, (Some("cursor_invalid".into()), 4400));
}
