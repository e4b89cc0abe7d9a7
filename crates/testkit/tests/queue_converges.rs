//! A tiny orchestrator and its workers on a queue with faults: what is not done is pushed again, attempts fence, and in
//! the end every task was applied once, on every kind of queue and for every seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kycc_proto::work::v1::{Task, TaskResult};
use kycc_queue::{Beat, Delivery, InProcessQueue, QueueError, TaskQueue};
use kycc_testkit::FaultyQueue;
use kycc_testkit::redis::Namespace;
use tokio::task::JoinSet;
use tokio::time::timeout;

const LANE: &str = "scoring";
const TASKS: usize = 6;
const SEEDS: u64 = 50;
const FAULT_PERCENT: u64 = 30;
const LEASE: Duration = Duration::from_millis(40);
const PATIENCE: Duration = Duration::from_secs(120);
const NOW: Duration = Duration::ZERO;

/// What a state store would know of a task.
#[derive(Debug, Clone, Default)]
struct Row {
    attempt: u32,
    /// Results that changed it.
    applied: u32,
}

/// The leader and its truth.
struct Orchestrator {
    queue: Arc<dyn TaskQueue>,
    rows: BTreeMap<String, Row>,
}

impl Orchestrator {
    fn new(queue: Arc<dyn TaskQueue>) -> Self {
        let first = Row {
            attempt: 1,
            applied: 0,
        };
        let rows = (0..TASKS).map(|number| (format!("task-{number}"), first.clone()));
        Self {
            queue,
            rows: rows.collect(),
        }
    }

    fn is_done(&self) -> bool {
        self.rows.values().all(|row| row.applied > 0)
    }

    fn task(&self, id: &str) -> Task {
        let urgent = id.ends_with('3');
        Task {
            task_id: id.to_owned(),
            attempt: self.rows[id].attempt,
            priority: i32::from(urgent),
            ..Task::default()
        }
    }

    /// Errors are left to the next turn: that is what makes it converge.
    async fn turn(&mut self) {
        let _ = self.push_what_is_missing().await;
        let _ = self.end_leases().await;
        let _ = self.apply_results().await;
    }

    async fn push_what_is_missing(&self) -> Result<(), QueueError> {
        let held = self.queue.outstanding(LANE).await?;
        let held: BTreeSet<_> = held.into_iter().map(|o| (o.task_id, o.attempt)).collect();
        for (id, row) in &self.rows {
            if row.applied == 0 && !held.contains(&(id.clone(), row.attempt)) {
                self.queue.push(LANE, &self.task(id)).await?;
            }
        }
        Ok(())
    }

    async fn end_leases(&mut self) -> Result<(), QueueError> {
        for Delivery { entry, task, .. } in self.queue.expired(LANE, LEASE).await? {
            let row = self.rows.get_mut(&task.task_id);
            if let Some(row) = row
                && row.applied == 0
                && row.attempt == task.attempt
            {
                row.attempt += 1;
                self.queue.push(LANE, &self.task(&task.task_id)).await?;
            }
            self.queue.ack(LANE, &entry).await?;
        }
        Ok(())
    }

    async fn apply_results(&mut self) -> Result<(), QueueError> {
        let entries = self.queue.pull_results(10, NOW).await?;
        for entry in &entries {
            if let Some(row) = self.rows.get_mut(&entry.result.task_id)
                && row.applied == 0
                && row.attempt == entry.result.attempt
            {
                row.applied += 1;
            }
        }
        let read: Vec<_> = entries.into_iter().map(|entry| entry.entry).collect();
        self.queue.ack_results(&read).await
    }
}

/// Crashes on every fifth task or so, with the task in its hands.
struct Worker {
    queue: Arc<dyn TaskQueue>,
    name: &'static str,
    pulled: u64,
    seed: u64,
}

impl Worker {
    async fn turn(&mut self) -> Result<(), QueueError> {
        for Delivery { entry, task, .. } in self.queue.pull(LANE, self.name, 2, NOW).await? {
            self.pulled += 1;
            let crashes = (self.seed + self.pulled * 7).is_multiple_of(5);
            if crashes || self.queue.beat(LANE, &entry, self.name).await? == Beat::Lost {
                continue;
            }
            let result = TaskResult {
                task_id: task.task_id,
                attempt: task.attempt,
                ..TaskResult::default()
            };
            self.queue.publish_result(&result).await?;
            self.queue.ack(LANE, &entry).await?;
        }
        Ok(())
    }
}

async fn converge(inner: Arc<dyn TaskQueue>, seed: u64) {
    let faulty = FaultyQueue::seeded(Arc::clone(&inner), seed, FAULT_PERCENT);
    let queue: Arc<dyn TaskQueue> = Arc::new(faulty);
    let mut leader = Orchestrator::new(Arc::clone(&queue));
    let mut workers = ["one", "two"].map(|name| Worker {
        queue: Arc::clone(&queue),
        name,
        pulled: 0,
        seed,
    });
    let turns = async {
        while !leader.is_done() {
            leader.turn().await;
            for worker in &mut workers {
                let _ = worker.turn().await;
            }
            // A lease can only run out while time passes.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let converged = timeout(PATIENCE, turns).await;
    assert!(converged.is_ok(), "seed {seed}: {:?}", leader.rows);
    let applied: Vec<_> = leader.rows.values().map(|row| row.applied).collect();
    assert_eq!(applied, [1; TASKS], "seed {seed}");

    // Without faults, what is left over goes away and nothing stays pending.
    leader.queue = Arc::clone(&inner);
    for worker in &mut workers {
        worker.queue = Arc::clone(&inner);
    }
    let cleaning = async {
        loop {
            leader.turn().await;
            for worker in &mut workers {
                let _ = worker.turn().await;
            }
            let held = inner.outstanding(LANE).await;
            let results = inner.pull_results(1, NOW).await;
            if matches!((held, results), (Ok(held), Ok(results)) if held.is_empty() && results.is_empty())
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let cleaned = timeout(PATIENCE, cleaning).await;
    assert!(cleaned.is_ok(), "seed {seed}: messages are left over");
    let applied: Vec<_> = leader.rows.values().map(|row| row.applied).collect();
    assert_eq!(applied, [1; TASKS], "seed {seed}: applied again");
}

#[tokio::test]
async fn every_task_is_applied_once_in_one_process_whatever_fails() {
    for seed in 0..SEEDS {
        converge(Arc::new(InProcessQueue::default()), seed).await;
    }
}

#[tokio::test]
async fn every_task_is_applied_once_over_redis_whatever_fails() {
    let mut seeds = JoinSet::new();
    for seed in 0..SEEDS {
        seeds.spawn(async move {
            let namespace = Namespace::new();
            converge(Arc::new(namespace.queue()), seed).await;
        });
    }
    while let Some(ended) = seeds.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}
