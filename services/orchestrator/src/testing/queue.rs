//! A queue that forgets everything when told to, as one that was flushed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kycc_proto::work::v1::{Task, TaskLog, TaskResult};
use kycc_queue::{
    Beat, Delivery, EntryId, InProcessQueue, LaneReport, Outstanding, QueueError, ResultEntry,
    TaskQueue,
};
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(crate) struct ForgetfulQueue {
    inner: Mutex<Arc<InProcessQueue>>,
    forgot: Notify,
    /// Pushes to come that are lost although the caller is told that they arrived.
    lose: Mutex<usize>,
}

impl ForgetfulQueue {
    pub(crate) fn forget(&self) {
        *self.inner.lock().unwrap() = Arc::default();
        self.forgot.notify_waiters();
    }

    pub(crate) fn lose(&self, pushes: usize) {
        *self.lose.lock().unwrap() = pushes;
    }

    fn inner(&self) -> Arc<InProcessQueue> {
        Arc::clone(&self.inner.lock().unwrap())
    }

    /// Who waits at what was forgotten finds nothing there.
    async fn unless_forgotten<T>(
        &self,
        pull: impl Future<Output = Result<Vec<T>, QueueError>>,
    ) -> Result<Vec<T>, QueueError> {
        tokio::select! {
            () = self.forgot.notified() => Ok(Vec::new()),
            pulled = pull => pulled,
        }
    }
}

#[async_trait]
impl TaskQueue for ForgetfulQueue {
    async fn ping(&self) -> Result<(), QueueError> {
        self.inner().ping().await
    }

    async fn push(&self, lane: &str, task: &Task) -> Result<(), QueueError> {
        {
            let mut lose = self.lose.lock().unwrap();
            if *lose > 0 {
                *lose -= 1;
                return Ok(());
            }
        }
        self.inner().push(lane, task).await
    }

    async fn pull(
        &self,
        lane: &str,
        consumer: &str,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        let inner = self.inner();
        self.unless_forgotten(inner.pull(lane, consumer, max, wait))
            .await
    }

    async fn beat(&self, lane: &str, entry: &EntryId, consumer: &str) -> Result<Beat, QueueError> {
        self.inner().beat(lane, entry, consumer).await
    }

    async fn ack(&self, lane: &str, entry: &EntryId) -> Result<(), QueueError> {
        self.inner().ack(lane, entry).await
    }

    async fn expired(&self, lane: &str, lease: Duration) -> Result<Vec<Delivery>, QueueError> {
        self.inner().expired(lane, lease).await
    }

    async fn outstanding(&self, lane: &str) -> Result<Vec<Outstanding>, QueueError> {
        self.inner().outstanding(lane).await
    }

    async fn report(&self, lane: &str) -> Result<LaneReport, QueueError> {
        self.inner().report(lane).await
    }

    async fn cancel(&self, task_id: &str) -> Result<(), QueueError> {
        self.inner().cancel(task_id).await
    }

    async fn publish_result(&self, result: &TaskResult) -> Result<(), QueueError> {
        self.inner().publish_result(result).await
    }

    async fn pull_results(
        &self,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<ResultEntry>, QueueError> {
        let inner = self.inner();
        self.unless_forgotten(inner.pull_results(max, wait)).await
    }

    async fn ack_results(&self, entries: &[EntryId]) -> Result<(), QueueError> {
        self.inner().ack_results(entries).await
    }

    async fn publish_logs(&self, logs: &[TaskLog]) -> Result<(), QueueError> {
        self.inner().publish_logs(logs).await
    }

    async fn pull_logs(&self, max: usize, wait: Duration) -> Result<Vec<TaskLog>, QueueError> {
        let inner = self.inner();
        self.unless_forgotten(inner.pull_logs(max, wait)).await
    }
}
