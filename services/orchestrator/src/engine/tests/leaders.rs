//! Several processes compete for the seat of the leader while runs execute.

use std::sync::Arc;
use std::time::Duration;

use super::first_attempt_of;
use crate::core::{EventKind, RunStatus, StepStatus};
use crate::engine::Seat;
use crate::store::faults::{FaultyStore, Mood};
use crate::testing::{Act, Leases, PIPELINE, TestFleet, open_store};

const LEASES: Leases = Leases {
    worker: Duration::from_secs(30),
    leader: Some(Duration::from_millis(500)),
};

/// All steps done once, and every event numbered once.
async fn is_whole(fleet: &TestFleet, run_id: &str) {
    let run = fleet.ended(run_id).await;
    assert_eq!(run.state.status, RunStatus::Success);
    let events = fleet.events(run_id).await;
    let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (1..=run.last_sequence).collect::<Vec<_>>());
    for kind in [
        EventKind::AssetMaterialization,
        EventKind::StepSuccess,
        EventKind::StepStart,
    ] {
        let of_kind = events.iter().filter(|event| event.kind == kind);
        assert_eq!(of_kind.count(), 4, "{kind:?}");
    }
    for step in &run.state.steps {
        let made = fleet
            .store
            .materializations(&step.asset, Some(&run.facts.batch), None, 9);
        assert_eq!(made.await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn when_the_leader_is_killed_mid_run_another_takes_over_and_no_step_is_done_twice() {
    let store = Arc::new(open_store().await);
    let mut a = TestFleet::with_leases(Arc::clone(&store) as _, PIPELINE, LEASES).await;
    a.leads().await;
    let b = a.join(store, "").await;
    let run_id = a.launch("all", "B1").await;
    a.until(&run_id, |run| {
        run.state.steps[0].status == StepStatus::Running
    })
    .await;
    a.kill().await;
    b.leads().await;
    // What lay in the queue is still there and is not pushed once more.
    let workers = b.work(|_| Act::Succeed);
    is_whole(&b, &run_id).await;
    let delivered = ["ingest", "left", "right", "join"].map(|asset| workers.deliveries(asset));
    assert_eq!(delivered, [1, 3, 1, 1]);
}

#[tokio::test]
async fn a_leader_that_was_paused_wakes_deposed_and_what_it_had_heard_is_applied_once() {
    let shared = open_store().await;
    for event in [1, 4, 7, 10] {
        let eyes = Arc::new(FaultyStore::new(shared.clone(), []));
        let mut a = TestFleet::with_leases(Arc::clone(&eyes) as _, PIPELINE, LEASES).await;
        a.leads().await;
        let mut b = a.join(Arc::new(shared.clone()), "").await;
        let run_id = a.launch("all", &format!("B{event}")).await;
        let _workers = a.work(|_| Act::Succeed);
        b.until(&run_id, |run| run.last_sequence >= event).await;
        eyes.set(Mood::Silent);
        b.leads().await;
        is_whole(&b, &run_id).await;
        eyes.set(Mood::Well);
        let follows = async {
            while !matches!(a.api.engine.seat().await, Seat::There(_)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), follows)
            .await
            .unwrap();
        is_whole(&b, &run_id).await;
        a.kill().await;
        b.stop().await;
    }
}

#[tokio::test]
async fn a_leader_that_stops_leaves_its_seat_to_the_next_at_once() {
    let patient = Leases {
        // Longer than the test has patience.
        leader: Some(Duration::from_secs(600)),
        ..LEASES
    };
    let store = Arc::new(open_store().await);
    let mut a = TestFleet::with_leases(Arc::clone(&store) as _, PIPELINE, patient).await;
    a.leads().await;
    let b = a.join(store, "").await;
    let run_id = a.launch("all", "B1").await;
    a.stop().await;
    b.leads().await;
    let _workers = b.work(|_| Act::Succeed);
    is_whole(&b, &run_id).await;
}

#[tokio::test]
async fn a_process_that_is_alone_leads_at_once_after_another_was_killed() {
    let fleet = TestFleet::start().await;
    let before = fleet.store.leader().await.unwrap();
    let fleet = fleet.restart().await;
    fleet.leads().await;
    let after = fleet.store.leader().await.unwrap();
    assert!(after.epoch > before.epoch);
}

#[tokio::test]
async fn runs_execute_while_leaders_come_and_go() {
    let store = Arc::new(open_store().await);
    let mut leading = TestFleet::with_leases(Arc::clone(&store) as _, PIPELINE, LEASES).await;
    leading.leads().await;
    let workers = leading.work(first_attempt_of("right", Act::Fail { retryable: true }));
    let mut runs = Vec::new();
    for n in 0..3 {
        let next = leading.join(Arc::clone(&store) as _, "").await;
        for m in 0..3 {
            runs.push(leading.launch("all", &format!("B{n}-{m}")).await);
        }
        if n % 2 == 0 {
            leading.kill().await;
        } else {
            leading.stop().await;
        }
        next.leads().await;
        leading = next;
    }
    for run_id in &runs {
        is_whole(&leading, run_id).await;
    }
    // Each attempt was delivered once: nothing was pushed that lay in the queue already.
    assert_eq!(workers.deliveries("ingest"), 9);
    assert_eq!(workers.deliveries("right"), 18);
}
