//! Workers that do with each task what the test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kycc_proto::work::v1::task_result::Outcome;
use kycc_proto::work::v1::{
    DatasetVersion, LogLevel, MetadataEntry, Task, TaskCancelled, TaskFailed, TaskLog, TaskResult,
    TaskSucceeded, metadata_entry,
};
use kycc_queue::{Beat, Delivery, TaskQueue};
use tokio::task::JoinSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Succeed,
    Fail {
        retryable: bool,
    },
    /// Works on and on, until it is told to stop.
    Hang,
    /// Says nothing more, ever.
    Die,
}

/// Stops when dropped.
pub(crate) struct Workers {
    _tasks: JoinSet<()>,
    done: Arc<Mutex<HashMap<String, u32>>>,
}

impl Workers {
    pub(crate) fn start(
        queue: &Arc<dyn TaskQueue>,
        act: impl Fn(&Task) -> Act + Send + Sync + 'static,
    ) -> Self {
        let act: Arc<dyn Fn(&Task) -> Act + Send + Sync> = Arc::new(act);
        let done = Arc::<Mutex<HashMap<String, u32>>>::default();
        let mut tasks = JoinSet::new();
        for lane in ["a", "b", "c"] {
            for n in 0..2 {
                let (queue, act, done) = (Arc::clone(queue), Arc::clone(&act), Arc::clone(&done));
                tasks.spawn(async move {
                    let consumer = format!("{lane}-{n}");
                    loop {
                        let pulled = queue.pull(lane, &consumer, 1, Duration::from_secs(5)).await;
                        for delivery in pulled.unwrap() {
                            let asset = delivery.task.asset.clone();
                            *done.lock().unwrap().entry(asset).or_default() += 1;
                            work(&*queue, lane, &consumer, delivery, &*act).await;
                        }
                    }
                });
            }
        }
        Self {
            _tasks: tasks,
            done,
        }
    }

    /// Deliveries by asset, so far.
    pub(crate) fn deliveries(&self, asset: &str) -> u32 {
        self.done.lock().unwrap().get(asset).copied().unwrap_or(0)
    }
}

async fn work(
    queue: &dyn TaskQueue,
    lane: &str,
    consumer: &str,
    delivery: Delivery,
    act: &(dyn Fn(&Task) -> Act + Send + Sync),
) {
    let task = &delivery.task;
    let outcome = match act(task) {
        Act::Die => return,
        Act::Succeed => {
            queue.publish_logs(&[line(task)]).await.unwrap();
            success(task)
        }
        Act::Fail { retryable } => Outcome::Failed(TaskFailed {
            reason: "BROKEN".to_owned(),
            message: "it broke".to_owned(),
            retryable,
            record: "parties.csv:7".to_owned(),
        }),
        Act::Hang => {
            while let Ok(Beat::Go) = queue.beat(lane, &delivery.entry, consumer).await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Outcome::Cancelled(TaskCancelled {})
        }
    };
    queue
        .publish_result(&result_of(task, outcome))
        .await
        .unwrap();
    queue.ack(lane, &delivery.entry).await.unwrap();
}

pub(crate) fn result_of(task: &Task, outcome: Outcome) -> TaskResult {
    TaskResult {
        task_id: task.task_id.clone(),
        run_id: task.run_id.clone(),
        asset: task.asset.clone(),
        attempt: task.attempt,
        worker_id: "w".to_owned(),
        outcome: Some(outcome),
        ..TaskResult::default()
    }
}

fn line(task: &Task) -> TaskLog {
    TaskLog {
        task_id: task.task_id.clone(),
        run_id: task.run_id.clone(),
        asset: task.asset.clone(),
        attempt: task.attempt,
        sequence: 1,
        level: LogLevel::Warning.into(),
        message: format!("made {}", task.asset),
        ..TaskLog::default()
    }
}

/// The last shard completes the version. Equal keys, equal digests.
pub(crate) fn success(task: &Task) -> Outcome {
    let shard = task.shard.unwrap();
    let complete = shard.index + 1 == shard.count;
    let outputs = task.expected_datasets.iter().map(|dataset| DatasetVersion {
        dataset: dataset.clone(),
        batch_id: task.batch_id.clone(),
        key: task.version_key.clone(),
        digest: task.version_key.clone(),
        rows: 10,
        bytes: 100,
        files: 1,
    });
    Outcome::Succeeded(TaskSucceeded {
        outputs: if complete {
            outputs.collect()
        } else {
            Vec::new()
        },
        metadata: vec![MetadataEntry {
            label: "rows".to_owned(),
            value: Some(metadata_entry::Value::IntValue(10)),
        }],
        reused: false,
    })
}
