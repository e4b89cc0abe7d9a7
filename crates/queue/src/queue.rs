//! The seam: what the orchestrator and the workers ask of a queue, whichever it is.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use kycc_proto::work::v1::{Task, TaskLog, TaskResult};

use crate::QueueError;

/// Names one entry of one lane, or one of the results. Opaque; only its own queue can read it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub String);

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A task in somebody's hands.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub entry: EntryId,
    pub task: Task,
    /// Who holds it.
    pub consumer: String,
}

/// An attempt of a task that the queue holds, waiting or pending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outstanding {
    pub task_id: String,
    pub attempt: u32,
}

/// A lane at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaneReport {
    /// Tasks that nobody has taken.
    pub waiting: u64,
    /// Tasks in somebody's hands.
    pub pending: u64,
    /// Age of the oldest of both; zero where there is none.
    pub oldest: Duration,
    /// Who took tasks from it, or waited for some, by name. One that left may be named for some time.
    pub consumers: Vec<Consumer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    pub name: String,
    /// Tasks in its hands.
    pub pending: u64,
    /// Since it last asked for tasks.
    pub idle: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ResultEntry {
    pub entry: EntryId,
    pub result: TaskResult,
}

/// What a worker hears when it says that it is still at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    Go,
    /// The task was cancelled: stop soon, and say so.
    Cancelled,
    /// The entry is not this consumer's any more. Its result would be refused; stop at once.
    Lost,
}

/// Lanes with leases, and two streams back. Every message is delivered at least once, log lines at most once.
#[async_trait]
pub trait TaskQueue: fmt::Debug + Send + Sync {
    /// Whether the queue answers.
    async fn ping(&self) -> Result<(), QueueError>;

    /// Appends a task to a lane. Never waits for room: a full lane is [`QueueError::Full`].
    async fn push(&self, lane: &str, task: &Task) -> Result<(), QueueError>;

    /// Takes up to `max` tasks, those with a priority above 0 before all others, then oldest first, waiting up to `wait`
    /// for the first. They are `consumer`'s from now on, and stay pending until acknowledged. Dropping the future takes
    /// nothing for good.
    async fn pull(
        &self,
        lane: &str,
        consumer: &str,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError>;

    /// Prolongs the lease of a pending entry.
    async fn beat(&self, lane: &str, entry: &EntryId, consumer: &str) -> Result<Beat, QueueError>;

    /// Removes an entry, whoever holds it. An entry that is gone already is no error.
    async fn ack(&self, lane: &str, entry: &EntryId) -> Result<(), QueueError>;

    /// Pending entries whose consumer has not beaten for `lease`, oldest first. They stay pending, and are shown again,
    /// until acknowledged: only who leads may end a lease, and it does so in the state store first.
    async fn expired(&self, lane: &str, lease: Duration) -> Result<Vec<Delivery>, QueueError>;

    /// Every attempt that the lane holds. What the state store calls dispatched and this does not name was lost (a queue
    /// that was emptied, a push that never arrived) or has just been answered; who leads pushes it again.
    async fn outstanding(&self, lane: &str) -> Result<Vec<Outstanding>, QueueError>;

    /// How much lies on the lane, and who takes from it. For people and dashboards: nothing is decided by it.
    async fn report(&self, lane: &str) -> Result<LaneReport, QueueError>;

    /// Marks a task as cancelled: its next beat hears so, also when it is yet to be pulled.
    async fn cancel(&self, task_id: &str) -> Result<(), QueueError>;

    /// Appends a result; waits for room, since a result must not be lost and its reader never waits for a lane.
    async fn publish_result(&self, result: &TaskResult) -> Result<(), QueueError>;

    /// The oldest results that are not acknowledged, up to `max`, waiting up to `wait` for the first. The same ones come
    /// again until they are: a reader applies them in a transaction, then acknowledges.
    async fn pull_results(
        &self,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<ResultEntry>, QueueError>;

    async fn ack_results(&self, entries: &[EntryId]) -> Result<(), QueueError>;

    /// Appends log lines, all or none. Without room it is [`QueueError::Full`], or older lines fall away: log lines may be
    /// lost, but never hold anybody up.
    async fn publish_logs(&self, logs: &[TaskLog]) -> Result<(), QueueError>;

    /// Takes up to `max` log lines, waiting up to `wait` for the first.
    async fn pull_logs(&self, max: usize, wait: Duration) -> Result<Vec<TaskLog>, QueueError>;
}
