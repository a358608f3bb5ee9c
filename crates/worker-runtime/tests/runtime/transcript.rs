//! Paging through what was said.

use worker_runtime::RuntimeError;
use yoi_protocol::{Role, TranscriptQuery};

use crate::common::{builder, create, id, send, settled};

async fn page(
    runtime: &worker_runtime::Runtime,
    after: Option<u64>,
    limit: Option<u64>,
) -> yoi_protocol::Transcript {
    let query = TranscriptQuery { after, limit };
    runtime.transcript(&id("w"), &query).await.unwrap()
}

#[tokio::test]
async fn pages_join_without_hole_or_overlap() {
    let runtime = builder().start().await.unwrap();
    create(&runtime, "w").await;
    for number in 0..5 {
        send(&runtime, "w", &number.to_string()).await;
        settled(&runtime, "w").await;
    }
    let mut after = None;
    let mut entries = Vec::new();
    loop {
        let page = page(&runtime, after, Some(3)).await;
        assert_eq!(page.first_sequence, 1);
        entries.extend(page.entries);
        after = page.next_after;
        if after.is_none() {
            break;
        }
    }
    let sequences: Vec<u64> = entries.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, (1..=10).collect::<Vec<_>>());
    for pair in entries.chunks(2) {
        assert_eq!((pair[0].role, pair[1].role), (Role::User, Role::Assistant));
        assert_eq!(pair[0].content, pair[1].content);
        assert_eq!(pair[0].run_id, pair[1].run_id);
    }
}

#[tokio::test]
async fn past_the_end_is_an_empty_page() {
    let runtime = builder().start().await.unwrap();
    create(&runtime, "w").await;
    let empty = page(&runtime, None, None).await;
    assert_eq!(
        (empty.entries.len(), empty.first_sequence, empty.next_after),
        (0, 1, None)
    );
    send(&runtime, "w", "x").await;
    settled(&runtime, "w").await;
    for after in [2, 3, u64::MAX] {
        let past = page(&runtime, Some(after), None).await;
        assert_eq!((past.entries.len(), past.next_after), (0, None));
    }
    assert_eq!(page(&runtime, Some(1), None).await.entries.len(), 1);
    // Exactly full is not more to come.
    assert_eq!(page(&runtime, None, Some(2)).await.next_after, None);
}

#[tokio::test]
async fn a_limit_out_of_range_is_named() {
    let runtime = builder().start().await.unwrap();
    create(&runtime, "w").await;
    for limit in [0, 1001] {
        let query = TranscriptQuery {
            after: None,
            limit: Some(limit),
        };
        let refused = runtime.transcript(&id("w"), &query).await.unwrap_err();
        let RuntimeError::InvalidRequest { errors } = refused else {
            panic!("not {refused:?}");
        };
        assert_eq!(errors[0].pointer, "/limit");
    }
}
