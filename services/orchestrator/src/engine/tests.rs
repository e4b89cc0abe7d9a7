//! Runs from end to end: the engine on a real store and queue, with workers that do as they are told.

mod leaders;
mod losses;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kycc_proto::work::v1::Task;
use kycc_queue::TaskQueue as _;

use crate::core::{EventKind, RunStatus, StepStatus};
use crate::store::StoredRun;
use crate::store::conformance::deed;
use crate::store::faults::{Fault, FaultyStore};
use crate::testing::{Act, PIPELINE, TestFleet, is, open_store, result_of, success};

fn first_attempt_of(asset: &'static str, act: Act) -> impl Fn(&Task) -> Act {
    move |task| match task.asset == asset && task.attempt == 1 {
        true => act,
        false => Act::Succeed,
    }
}

fn statuses(run: &StoredRun) -> Vec<(&str, StepStatus)> {
    let steps = run.state.steps.iter();
    steps
        .map(|step| (step.asset.as_str(), step.status))
        .collect()
}

#[tokio::test]
async fn a_run_succeeds_and_its_record_is_complete() {
    let fleet = TestFleet::start().await;
    let workers = fleet.work(|_| Act::Succeed);
    let run_id = fleet.launch("all", "B1").await;
    let run = fleet.ended(&run_id).await;
    assert_eq!(run.state.status, RunStatus::Success);
    assert!(run.times.started_at.is_some() && run.times.ended_at.is_some());
    // 10 parties in shards of 4.
    assert_eq!(run.state.steps[1].tasks.len(), 3);
    assert_eq!(workers.deliveries("left"), 3);
    let events = fleet.events(&run_id).await;
    let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    let kinds = fleet.kinds(&run_id).await;
    assert_eq!(
        kinds[..3],
        [
            EventKind::RunQueued,
            EventKind::RunStarting,
            EventKind::RunStart
        ]
    );
    assert_eq!(kinds.last(), Some(&EventKind::RunSuccess));
    // What a step says stands before its end.
    let of_join = |kind| {
        events
            .iter()
            .position(|e| e.kind == kind && e.asset.as_ref().is_some_and(|a| a.as_str() == "join"))
    };
    assert!(of_join(EventKind::Log).unwrap() < of_join(EventKind::StepSuccess).unwrap());
    let current = fleet
        .store
        .current(&"join".parse().unwrap(), None)
        .await
        .unwrap();
    assert_eq!(current[0].run_id.as_str(), run_id);
    assert_eq!(current[0].metadata["rows"], 10);
}

#[tokio::test]
async fn a_failure_that_passes_is_retried() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(first_attempt_of("right", Act::Fail { retryable: true }));
    let run_id = fleet.launch("all", "B1").await;
    let run = fleet.ended(&run_id).await;
    assert_eq!(run.state.status, RunStatus::Success);
    assert_eq!(run.state.steps[2].tasks[0].attempt, 2);
    assert!(fleet.kinds(&run_id).await.contains(&EventKind::StepRetry));
}

#[tokio::test]
async fn a_failed_run_names_step_cause_and_record_and_goes_on_elsewhere() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(first_attempt_of("right", Act::Fail { retryable: false }));
    let run_id = fleet.launch("all", "B1").await;
    let run = fleet.ended(&run_id).await;
    assert_eq!(run.state.status, RunStatus::Failure);
    let expected = [
        ("ingest", StepStatus::Success),
        ("left", StepStatus::Success),
        ("right", StepStatus::Failure),
        ("join", StepStatus::Skipped),
    ];
    assert_eq!(statuses(&run), expected);
    let failure = run.state.failure.unwrap();
    assert_eq!(failure.message, "step right failed: it broke");
    assert_eq!(
        (failure.reason.as_str(), failure.record.as_str()),
        ("BROKEN", "parties.csv:7")
    );
}

#[tokio::test]
async fn a_run_is_canceled_while_it_works() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(first_attempt_of("join", Act::Hang));
    let run_id = fleet.launch("all", "B1").await;
    fleet
        .until(&run_id, |run| {
            run.state.steps[3].status == StepStatus::Running
        })
        .await;
    assert!(
        fleet
            .api
            .engine
            .cancel(run_id.parse().unwrap(), deed("cancel", &run_id, ""))
            .await
    );
    let run = fleet.ended(&run_id).await;
    assert_eq!(run.state.status, RunStatus::Canceled);
    assert_eq!(run.state.steps[3].status, StepStatus::Canceled);
    assert_eq!(run.state.steps[0].status, StepStatus::Success);
}

#[tokio::test]
async fn the_same_run_again_computes_nothing_and_makes_no_new_versions() {
    let fleet = TestFleet::start().await;
    let workers = fleet.work(|_| Act::Succeed);
    let first = fleet.launch("all", "B1").await;
    fleet.ended(&first).await;
    let before = workers.deliveries("ingest") + workers.deliveries("left");
    let second = fleet.launch("all", "B1").await;
    let run = fleet.ended(&second).await;
    assert_eq!(run.state.status, RunStatus::Success);
    assert!(run.state.steps.iter().all(|step| step.memoized));
    assert_eq!(
        workers.deliveries("ingest") + workers.deliveries("left"),
        before
    );
    let join = "join".parse().unwrap();
    let made = fleet
        .store
        .materializations(&join, None, None, 9)
        .await
        .unwrap();
    assert_eq!(made.len(), 1);
}

#[tokio::test]
async fn a_changed_source_is_computed_again_and_the_old_one_is_found_again() {
    let fleet = TestFleet::start().await;
    let workers = fleet.work(|_| Act::Succeed);
    let set = |digest: &str| {
        let mut sources = fleet.outside.sources.lock().unwrap();
        sources.insert("file".to_owned(), digest.to_owned());
    };
    let mut keys = Vec::new();
    for digest in ["1", "2", "1"] {
        set(digest);
        let run_id = fleet.launch("first", "B1").await;
        fleet.ended(&run_id).await;
        let current = fleet
            .store
            .current(&"ingest".parse().unwrap(), None)
            .await
            .unwrap();
        keys.push(current[0].key.clone());
    }
    assert_eq!(workers.deliveries("ingest"), 2);
    assert_eq!(keys[0], keys[2]);
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn a_version_that_the_lake_has_lost_is_made_again() {
    let fleet = TestFleet::start().await;
    let workers = fleet.work(|_| Act::Succeed);
    let first = fleet.launch("first", "B1").await;
    let run = fleet.ended(&first).await;
    let key = run.state.steps[0].outputs[0].key.clone();
    fleet.outside.lost.lock().unwrap().insert(key);
    let second = fleet.launch("first", "B1").await;
    let run = fleet.ended(&second).await;
    assert!(!run.state.steps[0].memoized);
    assert_eq!(workers.deliveries("ingest"), 2);
}

#[tokio::test]
async fn a_run_goes_on_after_a_restart_in_the_middle() {
    let fleet = TestFleet::start().await;
    let workers = fleet.work(first_attempt_of("join", Act::Die));
    let run_id = fleet.launch("all", "B1").await;
    fleet
        .until(&run_id, |run| {
            run.state.steps[3].status == StepStatus::Running
        })
        .await;
    drop(workers);
    let fleet = fleet.restart().await;
    let workers = fleet.work(|_| Act::Succeed);
    let run = fleet.ended(&run_id).await;
    assert_eq!(run.state.status, RunStatus::Success);
    assert_eq!(
        (workers.deliveries("join"), workers.deliveries("ingest")),
        (1, 0)
    );
}

#[tokio::test]
async fn a_restart_at_every_event_changes_no_outcome() {
    let fleet = TestFleet::start().await;
    let workers = fleet.work(|_| Act::Succeed);
    let reference = fleet.launch("all", "B0").await;
    let reference = fleet.ended(&reference).await;
    drop(workers);
    let mut fleet = fleet;
    for (n, at) in (1..reference.last_sequence).enumerate() {
        let run_id = fleet.launch("all", &format!("B{}", n + 1)).await;
        let workers = fleet.work(|_| Act::Succeed);
        fleet.until(&run_id, |run| run.last_sequence >= at).await;
        drop(workers);
        fleet = fleet.restart().await;
        let _workers = fleet.work(|_| Act::Succeed);
        let run = fleet.ended(&run_id).await;
        assert_eq!(
            statuses(&run),
            statuses(&reference),
            "restarted after event {at}"
        );
        let kinds = fleet.kinds(&run_id).await;
        let made = kinds
            .iter()
            .filter(|k| **k == EventKind::AssetMaterialization);
        assert_eq!(made.count(), 4, "restarted after event {at}");
    }
}

#[tokio::test]
async fn a_worker_that_falls_silent_loses_its_task_and_its_late_result_is_refused() {
    let store = Arc::new(open_store().await);
    let fleet = TestFleet::with_lease(store, PIPELINE, Duration::from_millis(60)).await;
    let silent = fleet.work(first_attempt_of("ingest", Act::Die));
    let run_id = fleet.launch("first", "B1").await;
    let run = fleet.ended(&run_id).await;
    assert_eq!(run.state.status, RunStatus::Success);
    assert_eq!(run.state.steps[0].tasks[0].attempt, 2);
    assert_eq!(silent.deliveries("ingest"), 2);
    // The silent one wakes, while another run is at work.
    let late = Task {
        task_id: run.state.steps[0].tasks[0].id.to_string(),
        run_id: run_id.clone(),
        asset: "ingest".to_owned(),
        attempt: 1,
        shard: Some(kycc_proto::work::v1::Shard { index: 0, count: 1 }),
        batch_id: "B1".to_owned(),
        version_key: "other".to_owned(),
        expected_datasets: vec!["parties".to_owned()],
        ..Task::default()
    };
    fleet
        .queue
        .publish_result(&result_of(&late, success(&late)))
        .await
        .unwrap();
    let other = fleet.launch("first", "B2").await;
    fleet.ended(&other).await;
    assert_eq!(fleet.run(&run_id).await, run);
}

#[tokio::test]
async fn a_task_that_always_kills_its_worker_ends_as_a_failure() {
    let store = Arc::new(open_store().await);
    let fleet = TestFleet::with_lease(store, PIPELINE, Duration::from_millis(30)).await;
    let _workers: Vec<_> = (0..3).map(|_| fleet.work(|_| Act::Die)).collect();
    let run_id = fleet.launch("first", "B1").await;
    let run = fleet.ended(&run_id).await;
    let failure = run.state.failure.unwrap();
    assert_eq!(failure.reason, "TASK_DEAD_LETTERED");
    assert!(failure.message.contains("ingest") && failure.message.contains("3 worker(s)"));
}

#[tokio::test]
async fn of_twenty_runs_five_hold_a_slot_and_all_succeed() {
    let fleet = TestFleet::start().await;
    let mut runs = Vec::new();
    for n in 0..20 {
        runs.push(fleet.launch("all", &format!("B{n}")).await);
    }
    for run_id in &runs[..5] {
        fleet.until(run_id, is(RunStatus::Started)).await;
    }
    let mut holding = HashSet::new();
    for run_id in &runs {
        if fleet.run(run_id).await.state.status.holds_slot() {
            holding.insert(run_id);
        }
    }
    assert_eq!(holding, runs[..5].iter().collect());
    let _workers = fleet.work(|_| Act::Succeed);
    for run_id in &runs {
        assert_eq!(fleet.ended(run_id).await.state.status, RunStatus::Success);
    }
}

#[tokio::test]
async fn a_store_that_fails_before_or_after_writing_costs_time_and_nothing_else() {
    for fault in [Fault::Before, Fault::After] {
        // Every other write is struck, the launch is not.
        let planned = (0..40).map(|n| if n % 2 == 1 { fault } else { Fault::None });
        let store = Arc::new(FaultyStore::new(open_store().await, planned));
        let fleet = TestFleet::on(Arc::clone(&store) as _, PIPELINE).await;
        let _workers = fleet.work(|_| Act::Succeed);
        let run_id = fleet.launch("all", "B1").await;
        let run = fleet.ended(&run_id).await;
        assert_eq!(run.state.status, RunStatus::Success, "{fault:?}");
        assert!(store.left() < 40, "nothing was struck");
        let kinds = fleet.kinds(&run_id).await;
        let ended = kinds.iter().filter(|kind| **kind == EventKind::StepSuccess);
        assert_eq!(ended.count(), 4, "{fault:?}");
        let lines = kinds.iter().filter(|kind| **kind == EventKind::Log);
        assert_eq!(lines.count(), 6, "{fault:?}");
    }
}

/// Same transaction, same time.
#[tokio::test]
async fn what_is_resolved_quickly_is_dispatched_by_the_transaction_that_made_it_ready() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    for n in 0..50 {
        let run_id = fleet.launch("all", &format!("B{n}")).await;
        fleet.ended(&run_id).await;
        let events = fleet.events(&run_id).await;
        let at = |kind, asset: Option<&str>| {
            let of_asset = |e: &&crate::store::StoredEvent| {
                e.kind == kind && e.asset.as_ref().map(|a| a.as_str()) == asset
            };
            events.iter().find(of_asset).unwrap().at
        };
        let start = at(EventKind::RunStarting, None) == at(EventKind::StepStart, Some("ingest"));
        let next =
            at(EventKind::StepSuccess, Some("ingest")) == at(EventKind::StepStart, Some("left"));
        if start && next {
            return;
        }
    }
    panic!("every step cost two transactions");
}

#[tokio::test]
async fn a_source_that_does_not_answer_is_asked_again_and_one_that_refuses_is_not() {
    let fleet = TestFleet::start().await;
    let _workers = fleet.work(|_| Act::Succeed);
    fleet.outside.refuse("UNAVAILABLE", true);
    let run_id = fleet.launch("first", "B1").await;
    assert_eq!(fleet.ended(&run_id).await.state.status, RunStatus::Success);
    fleet.outside.refuse("SOURCE_NOT_FOUND", false);
    let run_id = fleet.launch("first", "B2").await;
    let failure = fleet.ended(&run_id).await.state.failure.unwrap();
    assert_eq!(failure.reason, "SOURCE_NOT_FOUND");
    assert_eq!(failure.message, "step ingest failed: not now");
}

#[tokio::test]
async fn an_input_that_is_nowhere_is_named_with_what_makes_it() {
    let fleet = TestFleet::start().await;
    let run_id = fleet.launch("learning", "B1").await;
    let failure = fleet.ended(&run_id).await.state.failure.unwrap();
    assert_eq!(failure.reason, "INPUT_MISSING");
    for part in [
        "learn",
        "features",
        "B1",
        "materialize join",
        "--input features=FILE",
    ] {
        assert!(
            failure.message.contains(part),
            "{part} in {}",
            failure.message
        );
    }
}

#[tokio::test]
async fn an_asset_of_all_batches_reads_the_current_version_of_each() {
    let fleet = TestFleet::start().await;
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let _workers = fleet.work(move |task| {
        if task.asset == "learn" {
            let batches = task.inputs.iter().map(|version| version.batch_id.clone());
            keep.lock().unwrap().extend(batches);
        }
        Act::Succeed
    });
    for batch in ["B2", "B1"] {
        let run_id = fleet.launch("all", batch).await;
        fleet.ended(&run_id).await;
    }
    let run_id = fleet.launch("learning", "B2").await;
    assert_eq!(fleet.ended(&run_id).await.state.status, RunStatus::Success);
    assert_eq!(*seen.lock().unwrap(), ["B1", "B2"]);
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_stopped_and_says_so() {
    let pipeline = format!("{PIPELINE}run_monitoring: {{ max_runtime_seconds: 1 }}\n");
    let fleet = TestFleet::on(Arc::new(open_store().await), &pipeline).await;
    let _workers = fleet.work(|_| Act::Hang);
    let run_id = fleet.launch("first", "B1").await;
    let run = fleet.ended(&run_id).await;
    assert_eq!(run.state.status, RunStatus::Failure);
    assert_eq!(run.state.failure.unwrap().reason, "MAX_RUNTIME_EXCEEDED");
}

#[tokio::test]
async fn a_run_keeps_the_definitions_that_it_started_with() {
    let fleet = TestFleet::start().await;
    let run_id = fleet.launch("first", "B1").await;
    fleet.until(&run_id, is(RunStatus::Started)).await;
    fleet.rewrite_pipeline(&PIPELINE.replace("code_version: \"1\"", "code_version: \"2\""));
    let fleet = fleet.restart().await;
    let version = Arc::new(AtomicU32::new(0));
    let keep = Arc::clone(&version);
    let _workers = fleet.work(move |task| {
        keep.store(task.code_version.parse().unwrap(), Ordering::SeqCst);
        Act::Succeed
    });
    fleet.ended(&run_id).await;
    assert_eq!(version.load(Ordering::SeqCst), 1);
    let second = fleet.launch("first", "B1").await;
    let run = fleet.ended(&second).await;
    assert!(!run.state.steps[0].memoized);
    assert_eq!(version.load(Ordering::SeqCst), 2);
}
