//! What a handler is told about its task, and what it hears when something is not there.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kycc_lake::{Lake, Shard};
use kycc_proto::work::v1::{self as work, DatasetVersion, SourceVersion, Task};
use kycc_runtime::{StepLog, SystemClock, TaskContext, TaskError, TaskParts};

fn input(dataset: &str, batch: &str, key: &str) -> DatasetVersion {
    DatasetVersion {
        dataset: dataset.to_owned(),
        batch_id: batch.to_owned(),
        key: key.to_owned(),
        ..DatasetVersion::default()
    }
}

fn task() -> Task {
    Task {
        task_id: "t1".to_owned(),
        asset: "train_model_asset".to_owned(),
        batch_id: "B2".to_owned(),
        version_key: "k".to_owned(),
        principal: "ada".to_owned(),
        config_json: r#"{"folds": 5}"#.to_owned(),
        inputs: vec![
            input("labels", "B3", "l3"),
            input("labels", "B1", "l1"),
            input("labels", "B2", "l2"),
            input("features", "B1", "f1"),
        ],
        sources: vec![SourceVersion {
            source: "active_scorecard".to_owned(),
            digest: "d".to_owned(),
            ..SourceVersion::default()
        }],
        ..Task::default()
    }
}

fn context_of(task: Task) -> Result<TaskContext, TaskError> {
    let log = Arc::new(StepLog::new(&task, Arc::new(SystemClock)));
    let parts = TaskParts {
        lake: Lake::open("memory:").unwrap(),
        threads: 1,
        memory_bytes: 1 << 20,
        cancel: Arc::new(AtomicBool::new(false)),
        log,
        attempt: uuid::Uuid::nil(),
    };
    TaskContext::new(task, parts)
}

fn context() -> TaskContext {
    context_of(task()).unwrap()
}

#[test]
fn the_input_of_a_dataset_is_that_of_the_tasks_own_batch() {
    assert_eq!(context().input("labels").unwrap().key, "l2");
}

#[test]
fn inputs_of_all_batches_come_in_the_order_of_batches() {
    let keys: Vec<_> = context()
        .inputs("labels")
        .into_iter()
        .map(|v| v.key)
        .collect();
    assert_eq!(keys, ["l1", "l2", "l3"]);
    assert!(context().inputs("scores").is_empty());
}

#[test]
fn a_missing_input_is_named_with_what_is_there() {
    let error = context().input("features").unwrap_err();
    assert_eq!(error.reason(), "INPUT_MISSING");
    let text = error.to_string();
    assert!(text.contains("features of batch B2"), "{text}");
    assert!(text.contains("features of B1, labels of B1"), "{text}");
}

#[test]
fn a_missing_source_is_named() {
    assert_eq!(context().source("active_scorecard").unwrap().digest, "d");
    let error = context().source("recorded_outcomes").unwrap_err();
    assert_eq!(error.reason(), "SOURCE_MISSING");
    assert!(error.message().contains("recorded_outcomes"));
}

#[test]
fn the_config_is_read_into_the_handlers_own_type() {
    #[derive(Debug, serde::Deserialize)]
    struct Config {
        folds: u32,
    }
    assert_eq!(context().config::<Config>().unwrap().folds, 5);
    let other = Task {
        config_json: r#"{"folds": "many"}"#.to_owned(),
        ..task()
    };
    let error = context_of(other).unwrap().config::<Config>().unwrap_err();
    assert_eq!(error.reason(), "CONFIG_INVALID");
    assert!(error.message().contains("train_model_asset"));
}

#[test]
fn the_version_it_makes_has_its_batch_and_key() {
    let version = context().version("model");
    assert_eq!(version.to_string(), "model/B2/k");
}

#[test]
fn a_task_without_a_shard_is_the_whole_and_an_impossible_one_is_refused() {
    assert_eq!(context().shard(), Shard::WHOLE);
    let with = |index, count| Task {
        shard: Some(work::Shard { index, count }),
        ..task()
    };
    let last = context_of(with(6, 7)).unwrap();
    assert_eq!(last.shard(), Shard { index: 6, count: 7 });
    for (index, count) in [(7, 7), (0, 0)] {
        let error = context_of(with(index, count)).unwrap_err();
        assert_eq!(error.reason(), "TASK_MALFORMED");
    }
}

#[test]
fn names_that_would_leave_their_folder_are_refused() {
    for bad in ["../x", "", "a/b"] {
        let task = Task {
            batch_id: bad.to_owned(),
            ..task()
        };
        assert_eq!(context_of(task).unwrap_err().reason(), "TASK_MALFORMED");
    }
}

#[test]
fn a_kernel_hears_of_the_cancel_through_its_flag() {
    let context = context();
    context.check_cancelled().unwrap();
    context.cancel_flag().store(true, Ordering::Relaxed);
    assert!(context.check_cancelled().unwrap_err().is_cancelled());
}
