//! A queue with faults: fails before or after the call took effect, loses, repeats, delays. "It happened, but you were
//! told that it failed" is the fault that finds defects.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kycc_proto::work::v1::{Task, TaskLog, TaskResult};
use kycc_queue::{
    Beat, Delivery, Effect, EntryId, LaneReport, Outstanding, QueueError, ResultEntry, TaskQueue,
};

/// The method that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    Push,
    Pull,
    Beat,
    Ack,
    Expired,
    Outstanding,
    Report,
    Cancel,
    PublishResult,
    PullResults,
    AckResults,
    PublishLogs,
    PullLogs,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Not done, and an error.
    FailBefore,
    /// Done, and an error all the same.
    FailAfter,
    /// An answer as if it were done (or as if there were nothing to read), and it is not.
    Lose,
    /// Done twice (or read twice over).
    Repeat,
    Delay(Duration),
}

type Decide = dyn Fn(Call, u64) -> Fault + Send + Sync;

/// Wraps any queue; `decide` is asked with the method and the number of the call, from 0.
pub struct FaultyQueue {
    inner: Arc<dyn TaskQueue>,
    decide: Box<Decide>,
    calls: AtomicU64,
}

impl std::fmt::Debug for FaultyQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyQueue")
            .field("inner", &self.inner)
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

impl FaultyQueue {
    pub fn new(
        inner: Arc<dyn TaskQueue>,
        decide: impl Fn(Call, u64) -> Fault + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner,
            decide: Box::new(decide),
            calls: AtomicU64::new(0),
        }
    }

    /// `percent` of all calls meet a fault; the same seed, the same faults for the same order of calls.
    pub fn seeded(inner: Arc<dyn TaskQueue>, seed: u64, percent: u64) -> Self {
        Self::new(inner, move |_, number| {
            let draw = mix(seed ^ mix(number));
            if draw % 100 >= percent {
                return Fault::None;
            }
            match (draw >> 32) % 5 {
                0 => Fault::FailBefore,
                1 => Fault::FailAfter,
                2 => Fault::Lose,
                3 => Fault::Repeat,
                _ => Fault::Delay(Duration::from_millis(draw % 7)),
            }
        })
    }

    /// The fault of this call, after its delay.
    async fn next(&self, call: Call) -> Fault {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let fault = (self.decide)(call, number);
        if let Fault::Delay(time) = fault {
            tokio::time::sleep(time).await;
        }
        fault
    }

    /// A call that changes something.
    async fn write<F, W>(&self, call: Call, effect: F) -> Result<(), QueueError>
    where
        F: Fn() -> W + Send + Sync,
        W: Future<Output = Result<(), QueueError>> + Send,
    {
        match self.next(call).await {
            Fault::None | Fault::Delay(_) => effect().await,
            Fault::FailBefore => Err(fault(Effect::NotApplied)),
            Fault::FailAfter => {
                effect().await?;
                Err(fault(Effect::Unknown))
            }
            Fault::Lose => Ok(()),
            Fault::Repeat => {
                effect().await?;
                effect().await
            }
        }
    }

    /// A call that reads; reading may take what is read.
    async fn read<T, F, R>(&self, call: Call, effect: F) -> Result<Vec<T>, QueueError>
    where
        T: Clone + Send,
        F: Fn() -> R + Send + Sync,
        R: Future<Output = Result<Vec<T>, QueueError>> + Send,
    {
        match self.next(call).await {
            Fault::None | Fault::Delay(_) => effect().await,
            Fault::FailBefore => Err(fault(Effect::NotApplied)),
            Fault::FailAfter => {
                effect().await?;
                Err(fault(Effect::Unknown))
            }
            Fault::Lose => {
                effect().await?;
                Ok(Vec::new())
            }
            Fault::Repeat => {
                let mut once = effect().await?;
                once.extend(once.clone());
                Ok(once)
            }
        }
    }
}

#[async_trait]
impl TaskQueue for FaultyQueue {
    async fn ping(&self) -> Result<(), QueueError> {
        self.inner.ping().await
    }

    async fn push(&self, lane: &str, task: &Task) -> Result<(), QueueError> {
        self.write(Call::Push, || self.inner.push(lane, task)).await
    }

    async fn pull(
        &self,
        lane: &str,
        consumer: &str,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        self.read(Call::Pull, || self.inner.pull(lane, consumer, max, wait))
            .await
    }

    async fn beat(&self, lane: &str, entry: &EntryId, consumer: &str) -> Result<Beat, QueueError> {
        match self.next(Call::Beat).await {
            Fault::FailBefore | Fault::Lose => Err(fault(Effect::NotApplied)),
            Fault::FailAfter => {
                self.inner.beat(lane, entry, consumer).await?;
                Err(fault(Effect::Unknown))
            }
            _ => self.inner.beat(lane, entry, consumer).await,
        }
    }

    async fn ack(&self, lane: &str, entry: &EntryId) -> Result<(), QueueError> {
        self.write(Call::Ack, || self.inner.ack(lane, entry)).await
    }

    async fn expired(&self, lane: &str, lease: Duration) -> Result<Vec<Delivery>, QueueError> {
        self.read(Call::Expired, || self.inner.expired(lane, lease))
            .await
    }

    async fn outstanding(&self, lane: &str) -> Result<Vec<Outstanding>, QueueError> {
        self.read(Call::Outstanding, || self.inner.outstanding(lane))
            .await
    }

    async fn report(&self, lane: &str) -> Result<LaneReport, QueueError> {
        match self.next(Call::Report).await {
            Fault::FailBefore | Fault::FailAfter => Err(fault(Effect::NotApplied)),
            // Telling changes nothing, and is told by nobody else.
            _ => self.inner.report(lane).await,
        }
    }

    async fn cancel(&self, task_id: &str) -> Result<(), QueueError> {
        self.write(Call::Cancel, || self.inner.cancel(task_id))
            .await
    }

    async fn publish_result(&self, result: &TaskResult) -> Result<(), QueueError> {
        self.write(Call::PublishResult, || self.inner.publish_result(result))
            .await
    }

    async fn pull_results(
        &self,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<ResultEntry>, QueueError> {
        self.read(Call::PullResults, || self.inner.pull_results(max, wait))
            .await
    }

    async fn ack_results(&self, entries: &[EntryId]) -> Result<(), QueueError> {
        self.write(Call::AckResults, || self.inner.ack_results(entries))
            .await
    }

    async fn publish_logs(&self, logs: &[TaskLog]) -> Result<(), QueueError> {
        self.write(Call::PublishLogs, || self.inner.publish_logs(logs))
            .await
    }

    async fn pull_logs(&self, max: usize, wait: Duration) -> Result<Vec<TaskLog>, QueueError> {
        self.read(Call::PullLogs, || self.inner.pull_logs(max, wait))
            .await
    }
}

fn fault(effect: Effect) -> QueueError {
    QueueError::Unavailable {
        operation: "fail as the test asked",
        effect,
        source: None,
    }
}

/// splitmix64.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
