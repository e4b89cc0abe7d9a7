//! A worker of one lane: pull, do, publish, acknowledge. In this order: a task is acknowledged only after its result is
//! with the queue, so that a death in between costs a second delivery and never a result.

mod attempt;
mod heartbeat;
mod report;
mod reuse;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kycc_lake::Lake;
use kycc_queue::{Delivery, TaskQueue};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{Clock, TaskHandler};
use attempt::Ended;

#[derive(Debug, Clone)]
pub struct WorkerOptions {
    pub lane: String,
    /// Unique among all workers of the fleet.
    pub consumer: String,
    /// Silence after which the task is given to another.
    pub lease: Duration,
    /// How long a handler may go on after it was told to stop.
    pub patience: Duration,
    pub threads: usize,
    pub memory_bytes: usize,
}

/// Works on one task at a time.
#[derive(Clone)]
pub struct Worker {
    options: WorkerOptions,
    queue: Arc<dyn TaskQueue>,
    lake: Lake,
    handlers: Arc<BTreeMap<&'static str, Arc<dyn TaskHandler>>>,
    /// Threads for computing; kernels that do not yield stay off the threads that beat and answer calls.
    compute: Handle,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("options", &self.options)
            .field("assets", &self.handlers.keys())
            .finish_non_exhaustive()
    }
}

const PULL_WAIT: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Worker {
    pub fn new(
        options: WorkerOptions,
        queue: Arc<dyn TaskQueue>,
        lake: Lake,
        handlers: impl IntoIterator<Item = Arc<dyn TaskHandler>>,
        compute: Handle,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let by_asset = handlers
            .into_iter()
            .map(|handler| (handler.asset(), handler))
            .collect();
        Self {
            options,
            queue,
            lake,
            handlers: Arc::new(by_asset),
            compute,
            clock,
        }
    }

    /// Works until `stop`, then ends what it has in hand: within the patience, else it hands the task back.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        while !stop.is_cancelled() {
            let WorkerOptions { lane, consumer, .. } = &self.options;
            let pull = self.queue.pull(lane, consumer, 1, PULL_WAIT);
            let pulled = tokio::select! {
                pulled = pull => pulled,
                () = stop.cancelled() => return,
            };
            match pulled {
                Ok(deliveries) => {
                    pause = FIRST_PAUSE;
                    for delivery in deliveries {
                        self.work(delivery, &stop).await;
                    }
                }
                Err(error) => {
                    if pause == FIRST_PAUSE {
                        tracing::warn!(lane, error = %kycc_telemetry::chain(&error), "cannot pull tasks; trying again");
                    }
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop.cancelled() => return,
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// One delivery, from hand to hand. The span hangs under the run's trace.
    async fn work(&self, delivery: Delivery, stop: &CancellationToken) {
        let task = &delivery.task;
        let span = tracing::info_span!(
            "task",
            otel.name = format!("process {}", task.asset),
            otel.kind = "consumer",
            messaging.operation.name = "process",
            messaging.destination.name = self.options.lane,
            run_id = task.run_id,
            asset = task.asset,
            task_id = task.task_id,
            attempt = task.attempt,
        );
        kycc_telemetry::continue_from(&span, &task.traceparent);
        // Boxed: what a task carries along is too large for the stack of everything that polls a worker.
        Box::pin(self.work_in_span(delivery, stop))
            .instrument(span)
            .await;
    }

    async fn work_in_span(&self, delivery: Delivery, stop: &CancellationToken) {
        crate::crash_point!("worker.pulled");
        let started = self.clock.now();
        let ended = self.attempt(&delivery, stop).await;
        let Ended::Outcome(outcome) = ended else {
            tracing::info!("the task was left to whoever holds its lease now");
            return;
        };
        let result = report::result(
            &delivery.task,
            &self.options.consumer,
            outcome,
            started,
            self.clock.now(),
        );
        crate::crash_point!("worker.before_publish");
        if !self.publish(&delivery, &result).await {
            return;
        }
        crate::crash_point!("worker.after_publish");
        if let Err(error) = self.queue.ack(&self.options.lane, &delivery.entry).await {
            // Its lease will run out; the second delivery finds the version in the lake.
            tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot acknowledge a finished task");
        }
    }
}
