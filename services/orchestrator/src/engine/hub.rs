//! Tells watchers of a run, and of publications, that there is something new. Events themselves are read from the store, so a watcher that
//! misses a notice misses nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kycc_domain::ids::{AssetKey, RunId};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The run's log has grown.
    Events,
    Progress {
        asset: AssetKey,
        done: u64,
        total: u64,
    },
}

/// Progress is dropped for watchers that are further behind than this.
const BACKLOG: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct EventHub {
    runs: Mutex<HashMap<RunId, broadcast::Sender<Notice>>>,
    /// Of the logs of all runs together; replaced when its receivers are to hear that nothing more will come.
    all: Mutex<watch::Sender<()>>,
    /// Position of the newest publication that was written here.
    published: watch::Sender<u64>,
    stopping: CancellationToken,
}

impl EventHub {
    /// Changes when any run's log has grown.
    pub(crate) fn of_all_runs(&self) -> watch::Receiver<()> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.subscribe()
    }

    /// Subscribe first, then read: what is written in between is noticed.
    pub(crate) fn subscribe(&self, run_id: &RunId) -> broadcast::Receiver<Notice> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.entry(run_id.clone())
            .or_insert_with(|| broadcast::channel(BACKLOG).0)
            .subscribe()
    }

    pub(crate) fn notify(&self, run_id: &RunId, notice: Notice) {
        if notice == Notice::Events {
            let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            all.send_replace(());
        }
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = runs.get(run_id)
            && sender.send(notice).is_err()
        {
            // Nobody listens any more.
            runs.remove(run_id);
        }
    }

    /// Of publications that this process writes; those of others are found by looking.
    pub(crate) fn publications(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    pub(crate) fn published(&self, position: u64) {
        self.published.send_replace(position);
    }

    /// Told when this process stops: then nothing more will come, of publications either.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }

    /// Tells all watchers of runs that nothing more will come from here.
    pub(crate) fn close(&self) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.clear();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        *all = watch::Sender::new(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn watchers_hear_of_their_run_only_and_nothing_is_kept_without_them() {
        let hub = EventHub::default();
        let (a, b): (RunId, RunId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let mut watcher = hub.subscribe(&a);
        hub.notify(&b, Notice::Events);
        hub.notify(&a, Notice::Events);
        assert_eq!(watcher.recv().await.unwrap(), Notice::Events);
        drop(watcher);
        hub.notify(&a, Notice::Events);
        assert!(hub.runs.lock().unwrap().is_empty());
    }
}
