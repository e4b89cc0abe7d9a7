//! The queue loses what it held, the store fails for a while: runs complete.

use std::sync::Arc;
use std::time::Duration;

use crate::core::{EventKind, RunStatus, StepStatus};
use crate::store::faults::{Fault, FaultyStore, Mood};
use crate::testing::{Act, Leases, PIPELINE, TestFleet, open_store};

/// The queue is looked at three times in a worker's lease.
const WORKER: Duration = Duration::from_millis(600);

#[tokio::test]
async fn a_queue_that_forgets_everything_mid_run_costs_seconds_and_no_step() {
    let store = Arc::new(open_store().await);
    let fleet = TestFleet::with_lease(store, PIPELINE, WORKER).await;
    let run_id = fleet.launch("all", "B1").await;
    fleet
        .until(&run_id, |run| {
            run.state.steps[0].status == StepStatus::Running
        })
        .await;
    fleet.queue.forget();
    let workers = fleet.work(|_| Act::Succeed);
    fleet
        .until(&run_id, |run| {
            run.state.steps[0].status == StepStatus::Success
        })
        .await;
    fleet.queue.forget();
    let run = fleet.ended(&run_id).await;
    assert_eq!(run.state.status, RunStatus::Success);
    assert_eq!(workers.deliveries("ingest"), 1);
    // Pushed again in the attempt that the store knows.
    assert_eq!(run.state.steps[0].tasks[0].attempt, 1);
}

#[tokio::test]
async fn a_push_that_never_arrived_is_made_up_for() {
    let store = Arc::new(open_store().await);
    let fleet = TestFleet::with_lease(store, PIPELINE, WORKER).await;
    fleet.queue.lose(3);
    let workers = fleet.work(|_| Act::Succeed);
    let run_id = fleet.launch("all", "B1").await;
    let run = fleet.ended(&run_id).await;
    assert_eq!(run.state.status, RunStatus::Success);
    assert_eq!(workers.deliveries("ingest"), 1);
}

#[tokio::test]
async fn a_store_that_is_down_for_a_while_costs_time_and_nothing_else() {
    for leader in [None, Some(Duration::from_millis(300))] {
        let leases = Leases {
            worker: Duration::from_secs(30),
            leader,
        };
        let store = Arc::new(FaultyStore::new(open_store().await, []));
        let fleet = TestFleet::with_leases(Arc::clone(&store) as _, PIPELINE, leases).await;
        fleet.leads().await;
        let _workers = fleet.work(|_| Act::Succeed);
        let run_id = fleet.launch("all", "B1").await;
        for _ in 0..3 {
            store.set(Mood::Down);
            tokio::time::sleep(Duration::from_millis(400)).await;
            store.set(Mood::Well);
            fleet.leads().await;
        }
        let run = fleet.ended(&run_id).await;
        assert_eq!(run.state.status, RunStatus::Success, "{leader:?}");
        let kinds = fleet.kinds(&run_id).await;
        let ended = kinds.iter().filter(|kind| **kind == EventKind::StepSuccess);
        assert_eq!(ended.count(), 4, "{leader:?}");
        assert_eq!(kinds.len() as u64, run.last_sequence);
    }
}

#[tokio::test]
async fn a_launch_that_was_written_without_a_word_is_taken_up_and_found_by_its_request_id() {
    let store = Arc::new(FaultyStore::new(open_store().await, [Fault::After]));
    let fleet = TestFleet::on(Arc::clone(&store) as _, PIPELINE).await;
    let _workers = fleet.work(|_| Act::Succeed);
    let request = || kycc_proto::orchestrator::v1::LaunchRunRequest {
        job: "first".to_owned(),
        batch_id: "B1".to_owned(),
        request_id: "q1".to_owned(),
        ..Default::default()
    };
    let error = fleet.api.launch_as(request()).await.unwrap_err();
    assert_eq!(error.reason(), "STORE_UNAVAILABLE");
    let live = fleet.store.live_run_ids().await.unwrap();
    assert_eq!(live.len(), 1);
    // Nobody asks again, and it goes on all the same.
    let run = fleet.ended(live[0].as_str()).await;
    assert_eq!(run.state.status, RunStatus::Success);
    let again = fleet.api.launch_as(request()).await.unwrap();
    assert_eq!(again.state.run_id, live[0]);
}

#[tokio::test]
async fn a_postgres_that_ends_every_connection_mid_run_costs_time_and_nothing_else() {
    let database = kycc_testkit::postgres::fresh().await;
    let store = database.open().await;
    let log = store.migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS);
    log.await.unwrap();
    let migrated = store.migrate("orchestrator", crate::store::MIGRATIONS);
    migrated.await.unwrap();
    let leases = Leases {
        worker: Duration::from_secs(30),
        leader: Some(Duration::from_secs(2)),
    };
    let fleet = TestFleet::with_leases(Arc::new(store), PIPELINE, leases).await;
    fleet.leads().await;
    let _workers = fleet.work(|_| Act::Succeed);
    for event in [2, 6, 9] {
        let run_id = fleet.launch("all", &format!("B{event}")).await;
        let id = run_id.parse().unwrap();
        let mut notices = fleet.api.engine.hub().subscribe(&id);
        while fleet.events(&run_id).await.len() < event {
            let _ = tokio::time::timeout(Duration::from_millis(100), notices.recv()).await;
        }
        database.disconnect_all().await;
        let ended = async {
            loop {
                // Reads meet the broken connections too.
                if let Ok(Some(run)) = fleet.store.run(&id).await
                    && run.state.status.is_terminal()
                {
                    return run;
                }
                let _ = tokio::time::timeout(Duration::from_millis(100), notices.recv()).await;
            }
        };
        let run = tokio::time::timeout(Duration::from_secs(30), ended)
            .await
            .unwrap();
        assert_eq!(run.state.status, RunStatus::Success);
        let kinds = fleet.kinds(&run_id).await;
        let ended = kinds.iter().filter(|kind| **kind == EventKind::StepSuccess);
        assert_eq!((ended.count(), kinds.len() as u64), (4, run.last_sequence));
    }
}
