//! Says that the worker is alive, and hears whether the task still is.

use std::future::Future;
use std::time::Duration;

use kycc_queue::{Beat, Delivery};
use tokio_util::sync::CancellationToken;

use super::{Worker, WorkerOptions};

/// Why a handler is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupted {
    Cancelled,
    /// Somebody else has the task now.
    Lost,
    /// The fleet stops.
    Stopping,
}

/// Also how long a cancel takes to be heard.
const LONGEST_BETWEEN_BEATS: Duration = Duration::from_secs(1);

impl Worker {
    /// Beats until there is a reason to stop.
    pub(super) async fn beat_until_interrupted(
        &self,
        delivery: &Delivery,
        stop: &CancellationToken,
    ) -> Interrupted {
        let between = (self.options.lease / 3).min(LONGEST_BETWEEN_BEATS);
        loop {
            tokio::select! {
                () = tokio::time::sleep(between) => {}
                () = stop.cancelled() => return Interrupted::Stopping,
            }
            match self.beat(delivery).await {
                Some(Beat::Cancelled) => return Interrupted::Cancelled,
                Some(Beat::Lost) => return Interrupted::Lost,
                Some(Beat::Go) | None => {}
            }
        }
    }

    /// Waits for `work` and beats meanwhile, whatever the answers.
    pub(super) async fn keep_beating<F: Future>(&self, delivery: &Delivery, work: F) -> F::Output {
        let between = (self.options.lease / 3).min(LONGEST_BETWEEN_BEATS);
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                ended = &mut work => return ended,
                () = tokio::time::sleep(between) => {
                    self.beat(delivery).await;
                }
            }
        }
    }

    /// None when the queue does not answer. The work goes on: if the lease runs out meanwhile, the attempt is fenced.
    async fn beat(&self, delivery: &Delivery) -> Option<Beat> {
        let WorkerOptions { lane, consumer, .. } = &self.options;
        match self.queue.beat(lane, &delivery.entry, consumer).await {
            Ok(beat) => Some(beat),
            Err(error) => {
                tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot beat");
                None
            }
        }
    }
}
