//! The queue of a fleet in one process: lists behind a mutex, and a bell for each reader. Messages are kept encoded, so
//! that nothing passes here that would not pass over the wire.
//!
//! It forgets everything when the process ends; the orchestrator pushes again what the state store says is outstanding.

mod bell;
mod lane;
mod stream;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use kycc_proto::work::v1::{Task, TaskLog, TaskResult};
use prost::Message;

use crate::{Beat, Delivery, EntryId, LaneReport, Outstanding, QueueError, ResultEntry, TaskQueue};
use bell::Bell;
use lane::Lane;
use stream::Stream;

/// Upper bounds in entries.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// Per lane: waiting and pending together.
    pub tasks: usize,
    pub results: usize,
    pub logs: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            tasks: 10_000,
            results: 10_000,
            logs: 100_000,
        }
    }
}

/// Marks that nobody asked for any more are forgotten from the oldest on.
const CANCELLED_MARKS: usize = 10_000;

#[derive(Debug)]
pub struct InProcessQueue {
    capacity: Capacity,
    lanes: Mutex<BTreeMap<String, Arc<Lane>>>,
    cancelled: Mutex<VecDeque<String>>,
    results: Stream,
    logs: Stream,
}

impl Default for InProcessQueue {
    fn default() -> Self {
        Self::new(Capacity::default())
    }
}

impl InProcessQueue {
    #[must_use]
    pub fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            lanes: Mutex::default(),
            cancelled: Mutex::default(),
            results: Stream::new("the stream of results", capacity.results),
            logs: Stream::new("the stream of log lines", capacity.logs),
        }
    }

    fn lane(&self, name: &str) -> Arc<Lane> {
        let mut lanes = lock(&self.lanes);
        if let Some(lane) = lanes.get(name) {
            return Arc::clone(lane);
        }
        let lane = Arc::new(Lane::new(name, self.capacity.tasks));
        lanes.insert(name.to_owned(), Arc::clone(&lane));
        lane
    }
}

#[async_trait]
impl TaskQueue for InProcessQueue {
    async fn ping(&self) -> Result<(), QueueError> {
        Ok(())
    }

    async fn push(&self, lane: &str, task: &Task) -> Result<(), QueueError> {
        self.lane(lane).push(task)
    }

    async fn pull(
        &self,
        lane: &str,
        consumer: &str,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        self.lane(lane).pull(consumer, max, wait).await
    }

    async fn beat(&self, lane: &str, entry: &EntryId, consumer: &str) -> Result<Beat, QueueError> {
        let Some(task_id) = self.lane(lane).beat(entry, consumer) else {
            return Ok(Beat::Lost);
        };
        let cancelled = lock(&self.cancelled).contains(&task_id);
        Ok(if cancelled { Beat::Cancelled } else { Beat::Go })
    }

    async fn ack(&self, lane: &str, entry: &EntryId) -> Result<(), QueueError> {
        self.lane(lane).ack(entry);
        Ok(())
    }

    async fn expired(&self, lane: &str, lease: Duration) -> Result<Vec<Delivery>, QueueError> {
        self.lane(lane).expired(lease)
    }

    async fn outstanding(&self, lane: &str) -> Result<Vec<Outstanding>, QueueError> {
        self.lane(lane).outstanding()
    }

    async fn report(&self, lane: &str) -> Result<LaneReport, QueueError> {
        Ok(self.lane(lane).report())
    }

    async fn cancel(&self, task_id: &str) -> Result<(), QueueError> {
        let mut cancelled = lock(&self.cancelled);
        if !cancelled.iter().any(|marked| marked == task_id) {
            cancelled.push_back(task_id.to_owned());
        }
        if cancelled.len() > CANCELLED_MARKS {
            cancelled.pop_front();
        }
        Ok(())
    }

    async fn publish_result(&self, result: &TaskResult) -> Result<(), QueueError> {
        self.results.append_waiting(result.encode_to_vec()).await;
        Ok(())
    }

    async fn pull_results(
        &self,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<ResultEntry>, QueueError> {
        let entries = self.results.peek(max, wait).await;
        entries
            .into_iter()
            .map(|(number, bytes)| {
                Ok(ResultEntry {
                    entry: EntryId(number.to_string()),
                    result: decode(&self.results.name, &bytes)?,
                })
            })
            .collect()
    }

    async fn ack_results(&self, entries: &[EntryId]) -> Result<(), QueueError> {
        self.results.remove(entries);
        Ok(())
    }

    async fn publish_logs(&self, logs: &[TaskLog]) -> Result<(), QueueError> {
        self.logs
            .append_all(logs.iter().map(Message::encode_to_vec).collect())
    }

    async fn pull_logs(&self, max: usize, wait: Duration) -> Result<Vec<TaskLog>, QueueError> {
        let lines = self.logs.take(max, wait).await;
        lines
            .iter()
            .map(|bytes| decode(&self.logs.name, bytes))
            .collect()
    }
}

fn decode<M: Message + Default>(stream: &str, bytes: &[u8]) -> Result<M, QueueError> {
    M::decode(bytes).map_err(|source| QueueError::Undecodable {
        stream: stream.to_owned(),
        source,
    })
}

/// No code here panics while it holds a lock, so a poisoned one holds whole data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
