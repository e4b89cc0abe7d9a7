//! Waits until there is something, woken by whoever brings it: no reader ever polls.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Bell(Notify);

impl Bell {
    /// Wakes one waiting reader, or the next that comes.
    pub(super) fn ring(&self) {
        self.0.notify_one();
    }

    /// Calls `look` at once and after every ring until it finds something or `wait` has passed.
    pub(super) async fn wait_for<T>(
        &self,
        wait: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + wait;
        loop {
            let rung = self.0.notified();
            if let Some(found) = look() {
                return Some(found);
            }
            if tokio::time::timeout_at(deadline, rung).await.is_err() {
                return None;
            }
        }
    }
}
