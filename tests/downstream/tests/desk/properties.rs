//! What people type is anything.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use yoi_testkit::{TestBackend, strategies};

use crate::{desk_before, worker_of};

/// Whatever the contract lets people ask, an echo gives back to the letter.
#[test]
fn nothing_is_lost_of_any_question() {
    let threads = tokio::runtime::Runtime::new().unwrap();
    let (_backend, desk, worker) = threads.block_on(async {
        let backend = TestBackend::builder().embedded("gpu-1").start().await;
        let (desk, worker) = (desk_before(&backend), worker_of(&backend).await);
        (backend, desk, worker)
    });

    let mut runner = TestRunner::new(Config {
        cases: 32,
        failure_persistence: None,
        ..Config::default()
    });
    let held = runner.run(&strategies::input_request(), |question| {
        let asked = threads.block_on(desk.ask(&worker, &question.content));
        prop_assert_eq!(asked, Ok(question.content));
        Ok(())
    });
    held.unwrap();
}
