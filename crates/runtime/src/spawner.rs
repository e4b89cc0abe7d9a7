//! The one door through which background work is started: each has a name, and what its failure means is said.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What happens when background work ends with an error or a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The fleet cannot do without it: the process stops, and whoever supervises it starts it again.
    StopFleet,
    /// It is logged.
    Log,
}

/// Clones start work in the same group, which is stopped and awaited together.
#[derive(Debug, Clone, Default)]
pub struct Spawner {
    tracker: TaskTracker,
    stop: CancellationToken,
    failed: CancellationToken,
    failure: Arc<OnceLock<String>>,
}

impl Spawner {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when work is to end.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts work. It should watch [`stopping`](Self::stopping); when the fleet has waited long enough, it is dropped.
    pub fn spawn<F, E>(&self, name: &'static str, on_failure: OnFailure, work: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let spawner = self.clone();
        let watched = async move {
            let text = match AssertUnwindSafe(work).catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => kycc_telemetry::chain(error.into().as_ref()),
                Err(panic) => format!("panicked: {}", panic_text(panic.as_ref())),
            };
            tracing::error!(name, error = text, "background work failed");
            if on_failure == OnFailure::StopFleet {
                let _ = spawner.failure.set(format!("{name} failed: {text}"));
                spawner.failed.cancel();
            }
        };
        self.tracker
            .spawn(watched.instrument(tracing::info_span!("background", name)));
    }

    /// Resolves with the reason when work failed that the fleet cannot do without.
    pub async fn failed(&self) -> String {
        self.failed.cancelled().await;
        self.failure.get().cloned().unwrap_or_default()
    }

    /// Tells all work to end and waits for it, up to `patience`; returns whether all of it ended.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        let ended = tokio::time::timeout(patience, self.tracker.wait()).await;
        ended.is_ok()
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn failure_of_work_that_is_needed_is_reported_with_its_name() {
        let spawner = Spawner::new();
        spawner.spawn("reader", OnFailure::StopFleet, async {
            Err(std::io::Error::other("gone"))
        });
        let reason = tokio::time::timeout(SOON, spawner.failed()).await.unwrap();
        assert_eq!(reason, "reader failed: gone");
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_like_any_other() {
        let spawner = Spawner::new();
        spawner.spawn("timer", OnFailure::StopFleet, async {
            if true {
                panic!("broken");
            }
            Ok::<(), BoxError>(())
        });
        let reason = tokio::time::timeout(SOON, spawner.failed()).await.unwrap();
        assert_eq!(reason, "timer failed: panicked: broken");
    }

    #[tokio::test]
    async fn stopping_waits_for_work_that_listens_and_gives_up_on_work_that_does_not() {
        let spawner = Spawner::new();
        let stopping = spawner.stopping();
        spawner.spawn("polite", OnFailure::Log, async move {
            stopping.cancelled().await;
            Ok::<(), BoxError>(())
        });
        assert!(spawner.stop(SOON).await);

        let spawner = Spawner::new();
        spawner.spawn(
            "deaf",
            OnFailure::Log,
            std::future::pending::<Result<(), BoxError>>(),
        );
        assert!(!spawner.stop(Duration::from_millis(10)).await);
    }
}
