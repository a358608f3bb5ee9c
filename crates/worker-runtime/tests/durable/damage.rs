//! What is not what was written is not served.

use std::fs;

use serde_json::json;

use crate::api::{Api, Command};
use crate::house::House;

const ARGS: [&str; 6] = ["--store", "fs", "--path", "data", "--id", "rt-1"];
const SEGMENT: &str = "0000000001.log";

/// A store with a few records, and nobody who has it.
async fn written() -> House {
    let house = House::new();
    let mut serving = house.start(&ARGS);
    let api = Api::new(serving.url());
    for number in 0..8 {
        let create = Command {
            path: "/v1/workers".to_owned(),
            body: json!({"worker_id": format!("w-{number}")}).to_string(),
            key: None,
        };
        let answer = api.send(&create).await.expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    serving.signal("TERM");
    assert_eq!(serving.ended().code(), Some(0));
    house
}

#[tokio::test]
async fn a_damaged_record_is_told_with_its_file_and_place() {
    let house = written().await;
    let path = house.data().join(SEGMENT);
    let whole = fs::read(&path).expect("readable");
    // A line for its head, then one for each record: the fifth is that of `w-3`.
    let lines: Vec<usize> = std::iter::once(0)
        .chain(
            (0..whole.len())
                .filter(|at| whole[*at] == b'\n')
                .map(|at| at + 1),
        )
        .collect();
    let (start, end) = (lines[4], lines[5]);
    for at in [start, start + (end - start) / 2, end - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).expect("written");
        let refusal = house.refused(&ARGS);
        assert_eq!(refusal.code, Some(1), "byte {at}: {refusal:?}");
        let expected = format!(
            "worker-runtime: the store cannot be opened: {SEGMENT} is damaged at offset {start}: "
        );
        assert!(
            refusal.told.starts_with(&expected),
            "byte {at}: {refusal:?}"
        );
        assert_eq!(
            fs::read(&path).expect("readable"),
            damaged,
            "it was changed"
        );
    }
    fs::write(&path, &whole).expect("written");
    drop(house.start(&ARGS));
}

#[tokio::test]
async fn a_segment_that_is_gone_or_cut_is_told() {
    let house = written().await;
    let path = house.data().join(SEGMENT);
    let whole = fs::read(&path).expect("readable");
    let used = whole.iter().rposition(|byte| *byte != 0).expect("records");
    fs::write(&path, &whole[..used / 2]).expect("written");
    let cut = house.refused(&ARGS);
    assert_eq!(cut.code, Some(1), "{cut:?}");
    assert!(cut.told.contains(SEGMENT), "{cut:?}");
    fs::remove_file(&path).expect("removed");
    let gone = house.refused(&ARGS);
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert!(gone.told.contains(SEGMENT), "{gone:?}");
}
