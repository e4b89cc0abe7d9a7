//! One attempt: looks whether the work is done already, runs the handler on the compute threads, beats meanwhile.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures::FutureExt;
use kycc_lake::{Manifest, Metadata, Published};
use kycc_proto::work::v1::task_result::Outcome;
use kycc_proto::work::v1::{Task, TaskCancelled, TaskSucceeded};
use kycc_queue::{Beat, Delivery};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::Worker;
use super::heartbeat::Interrupted;
use crate::metadata::{dataset_version, entries};
use crate::spawner::panic_text;
use crate::task::{StepLog, TaskContext, TaskError, TaskParts};
use crate::{Output, TaskHandler};

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Ended {
    Outcome(Outcome),
    /// The task is not this worker's any more: nothing is to be published.
    Abandoned,
}

impl Worker {
    pub(super) async fn attempt(&self, delivery: &Delivery, stop: &CancellationToken) -> Ended {
        // A task may have waited long: what was cancelled meanwhile, or taken away, is not begun.
        let lane = &self.options.lane;
        match self
            .queue
            .beat(lane, &delivery.entry, &self.options.consumer)
            .await
        {
            Ok(Beat::Lost) => return Ended::Abandoned,
            Ok(Beat::Cancelled) => return Ended::Outcome(cancelled()),
            Ok(Beat::Go) => {}
            // The heartbeat will find out.
            Err(error) => tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot beat"),
        }
        match self.find_existing(&delivery.task).await {
            Ok(Some(found)) => return Ended::Outcome(reused(&found)),
            Ok(None) => {}
            Err(error) => return Ended::Outcome(failed(&error)),
        }
        let Some(handler) = self.handlers.get(delivery.task.asset.as_str()) else {
            let error = TaskError::fatal(
                "NO_HANDLER",
                format!(
                    "no service on lane {lane} makes {}; check the asset's lane in the pipeline",
                    delivery.task.asset
                ),
            );
            return Ended::Outcome(failed(&error));
        };
        self.compute(delivery, Arc::clone(handler), stop).await
    }

    async fn compute(
        &self,
        delivery: &Delivery,
        handler: Arc<dyn TaskHandler>,
        stop: &CancellationToken,
    ) -> Ended {
        let cancel = Arc::new(AtomicBool::new(false));
        let log = Arc::new(StepLog::new(&delivery.task, Arc::clone(&self.clock)));
        let parts = TaskParts {
            lake: self.lake.clone(),
            threads: self.options.threads,
            memory_bytes: self.options.memory_bytes,
            cancel: Arc::clone(&cancel),
            log: Arc::clone(&log),
            attempt: self.clock.new_id(),
        };
        let context = match TaskContext::new(delivery.task.clone(), parts) {
            Ok(context) => context,
            Err(error) => return Ended::Outcome(failed(&error)),
        };
        let started = Instant::now();
        let mut work = self
            .compute
            .spawn(guarded(handler, context).in_current_span());
        let interruption = {
            let talk = log.forward(self.queue.as_ref());
            tokio::select! {
                ended = &mut work => Ok(ended),
                interrupted = self.beat_until_interrupted(delivery, stop) => Err(interrupted),
                // Never ends by itself.
                () = talk => Err(Interrupted::Lost),
            }
        };
        let (ended, interrupted) = match interruption {
            Ok(ended) => (Some(ended), None),
            Err(why) => (
                self.wind_down(delivery, why, &cancel, work).await,
                Some(why),
            ),
        };
        log.close(self.queue.as_ref()).await;
        self.conclude(&delivery.task, ended, interrupted, started.elapsed())
    }

    /// Lets the handler come to its end, within the patience. Beats go on, so that nobody else begins the task meanwhile.
    async fn wind_down(
        &self,
        delivery: &Delivery,
        why: Interrupted,
        cancel: &AtomicBool,
        mut work: JoinHandle<Result<Output, TaskError>>,
    ) -> Option<Result<Result<Output, TaskError>, JoinError>> {
        let half = self.options.patience / 2;
        if why == Interrupted::Stopping {
            // Nothing is wrong with the task: it may finish if it is quick.
            let finish = self.keep_beating(delivery, &mut work);
            if let Ok(ended) = tokio::time::timeout(half, finish).await {
                return Some(ended);
            }
        }
        cancel.store(true, Ordering::Relaxed);
        let stopped = self.keep_beating(delivery, &mut work);
        let ended = tokio::time::timeout(half, stopped).await.ok();
        if ended.is_none() {
            work.abort();
        }
        ended
    }

    /// What the end of the handler means, given what interrupted it.
    fn conclude(
        &self,
        task: &Task,
        ended: Option<Result<Result<Output, TaskError>, JoinError>>,
        interrupted: Option<Interrupted>,
        took: std::time::Duration,
    ) -> Ended {
        if matches!(interrupted, Some(Interrupted::Lost)) {
            return Ended::Abandoned;
        }
        match (ended, interrupted) {
            // Finished in spite of everything: the version is there, so that is what is said.
            (Some(Ok(Ok(output))), _) => Ended::Outcome(succeeded(output, took)),
            // Handed back, for another worker to begin at once.
            (_, Some(Interrupted::Stopping)) => Ended::Outcome(cancelled()),
            (Some(Ok(Err(error))), Some(_)) if error.is_cancelled() => Ended::Outcome(cancelled()),
            (None, Some(_)) => {
                tracing::warn!(
                    asset = task.asset,
                    "a cancelled task did not stop in time and was dropped"
                );
                Ended::Outcome(cancelled())
            }
            (Some(Ok(Err(error))), _) => Ended::Outcome(failed(&error)),
            (Some(Err(_)) | None, _) => Ended::Outcome(failed(&TaskError::transient(
                "WORKER_STOPPED",
                "the worker's compute threads were shut down under the task",
            ))),
        }
    }
}

/// A panic is the task's failure, not the worker's.
async fn guarded(handler: Arc<dyn TaskHandler>, context: TaskContext) -> Result<Output, TaskError> {
    let run = AssertUnwindSafe(handler.run(&context)).catch_unwind();
    let result = run.await.unwrap_or_else(|panic| {
        Err(TaskError::fatal(
            "PANIC",
            format!(
                "{} panicked: {}; this is a defect of kycc, please report it with the run's log",
                context.asset(),
                panic_text(panic.as_ref())
            ),
        ))
    });
    if let Err(error) = &result
        && !error.is_cancelled()
    {
        context.error(kycc_telemetry::chain(error));
    }
    result
}

fn succeeded(output: Output, took: std::time::Duration) -> Outcome {
    let manifests: Vec<&Manifest> = output
        .published
        .iter()
        .filter_map(Published::manifest)
        .collect();
    Outcome::Succeeded(TaskSucceeded {
        outputs: manifests
            .iter()
            .map(|manifest| dataset_version(manifest))
            .collect(),
        metadata: entries(output.metadata.clone(), &manifests, Some(took)),
        reused: false,
    })
}

fn reused(manifests: &[Manifest]) -> Outcome {
    let manifests: Vec<&Manifest> = manifests.iter().collect();
    Outcome::Succeeded(TaskSucceeded {
        outputs: manifests
            .iter()
            .map(|manifest| dataset_version(manifest))
            .collect(),
        metadata: entries(Metadata::new(), &manifests, None),
        reused: true,
    })
}

fn failed(error: &TaskError) -> Outcome {
    Outcome::Failed(error.to_failed())
}

fn cancelled() -> Outcome {
    Outcome::Cancelled(TaskCancelled {})
}
