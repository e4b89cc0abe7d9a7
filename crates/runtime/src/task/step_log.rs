//! The lines that a step writes: numbered, bounded, and sent apart from results, so that talk never delays them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kycc_proto::work::v1::{LogLevel, Task, TaskLog};
use kycc_queue::TaskQueue;
use tokio::sync::Notify;

use crate::Clock;
use crate::clock::timestamp;

/// What an operator can still read; what a step says beyond it is counted, not kept.
const MAX_LINES: u32 = 10_000;
/// Lines written within it travel together.
const GATHER: Duration = Duration::from_millis(50);
const SEND_TRIES: u32 = 3;

/// Log and progress of one attempt.
#[derive(Debug)]
pub struct StepLog {
    task_id: String,
    run_id: String,
    asset: String,
    attempt: u32,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    written: Notify,
}

#[derive(Debug, Default)]
struct State {
    last_sequence: u32,
    dropped: u64,
    unsent: Vec<TaskLog>,
    progress: Option<(u64, u64)>,
}

impl StepLog {
    #[must_use]
    pub fn new(task: &Task, clock: Arc<dyn Clock>) -> Self {
        Self {
            task_id: task.task_id.clone(),
            run_id: task.run_id.clone(),
            asset: task.asset.clone(),
            attempt: task.attempt,
            clock,
            state: Mutex::default(),
            written: Notify::new(),
        }
    }

    pub fn info(&self, message: impl Into<String>) {
        let message = message.into();
        tracing::info!(run_id = self.run_id, asset = self.asset, "{message}");
        self.write(LogLevel::Info, message);
    }

    pub fn warning(&self, message: impl Into<String>) {
        let message = message.into();
        tracing::warn!(run_id = self.run_id, asset = self.asset, "{message}");
        self.write(LogLevel::Warning, message);
    }

    pub fn error(&self, message: impl Into<String>) {
        let message = message.into();
        tracing::error!(run_id = self.run_id, asset = self.asset, "{message}");
        self.write(LogLevel::Error, message);
    }

    pub fn progress(&self, done: u64, total: u64) {
        self.state().progress = Some((done, total));
        self.written.notify_one();
    }

    fn write(&self, level: LogLevel, message: String) {
        let mut state = self.state();
        if state.last_sequence >= MAX_LINES {
            state.dropped += 1;
            return;
        }
        let line = self.line(&mut state, level, message);
        state.unsent.push(line);
        drop(state);
        self.written.notify_one();
    }

    fn line(&self, state: &mut State, level: LogLevel, message: String) -> TaskLog {
        state.last_sequence += 1;
        TaskLog {
            task_id: self.task_id.clone(),
            run_id: self.run_id.clone(),
            asset: self.asset.clone(),
            attempt: self.attempt,
            sequence: state.last_sequence,
            time: Some(timestamp(self.clock.now())),
            level: level.into(),
            message,
            progress_done: 0,
            progress_total: 0,
        }
    }

    /// What is to be sent: the lines, and the newest progress in a line of its own without number. The lines stay until
    /// [`sent`](Self::sent), so that a sender that is dropped half-way loses none.
    fn to_send(&self) -> (usize, Vec<TaskLog>) {
        let mut state = self.state();
        let mut lines = state.unsent.clone();
        let kept = lines.len();
        if let Some((done, total)) = state.progress.take() {
            let mut line = self.line(&mut state, LogLevel::Debug, String::new());
            // Progress is not kept, so it must not use up the numbers of what is.
            state.last_sequence -= 1;
            line.sequence = 0;
            line.progress_done = done;
            line.progress_total = total;
            lines.push(line);
        }
        (kept, lines)
    }

    fn sent(&self, kept: usize) {
        self.state().unsent.drain(..kept);
    }

    /// Sends lines as they come, for as long as it is polled.
    pub(crate) async fn forward(&self, queue: &dyn TaskQueue) {
        loop {
            self.written.notified().await;
            tokio::time::sleep(GATHER).await;
            self.send(queue).await;
        }
    }

    /// Sends what is left, with one line for what was not kept.
    pub(crate) async fn close(&self, queue: &dyn TaskQueue) {
        {
            let mut state = self.state();
            if state.dropped > 0 {
                let text = format!(
                    "{} more lines were written and not kept: a step keeps {MAX_LINES}",
                    state.dropped
                );
                let line = self.line(&mut state, LogLevel::Warning, text);
                state.unsent.push(line);
            }
        }
        self.send(queue).await;
    }

    async fn send(&self, queue: &dyn TaskQueue) {
        let (kept, lines) = self.to_send();
        if lines.is_empty() {
            return;
        }
        for attempt in 1..=SEND_TRIES {
            match queue.publish_logs(&lines).await {
                Ok(()) => return self.sent(kept),
                Err(error) if attempt == SEND_TRIES => {
                    self.sent(kept);
                    tracing::warn!(
                        lines = lines.len(),
                        reason = error.reason(),
                        asset = self.asset,
                        "log lines of a step were lost"
                    );
                }
                Err(_) => tokio::time::sleep(GATHER * attempt).await,
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;
    use kycc_queue::InProcessQueue;

    fn log() -> StepLog {
        let task = Task {
            task_id: "t".to_owned(),
            attempt: 2,
            ..Task::default()
        };
        StepLog::new(&task, Arc::new(SystemClock))
    }

    async fn sent(log: &StepLog) -> Vec<TaskLog> {
        let queue = InProcessQueue::default();
        log.close(&queue).await;
        queue.pull_logs(20_000, Duration::ZERO).await.unwrap()
    }

    #[tokio::test]
    async fn lines_are_numbered_per_attempt_and_progress_is_not() {
        let log = log();
        log.info("one");
        log.progress(1, 10);
        log.progress(2, 10);
        log.warning("two");
        let lines = sent(&log).await;
        let texts: Vec<_> = lines
            .iter()
            .map(|l| (l.sequence, l.message.as_str(), l.progress_done))
            .collect();
        assert_eq!(texts, [(1, "one", 0), (2, "two", 0), (0, "", 2)]);
        assert!(lines.iter().all(|line| line.attempt == 2));
    }

    #[tokio::test]
    async fn beyond_the_limit_one_line_says_how_many_were_dropped() {
        let log = log();
        for n in 0..MAX_LINES + 7 {
            log.write(LogLevel::Info, n.to_string());
        }
        let lines = sent(&log).await;
        assert_eq!(lines.len(), MAX_LINES as usize + 1);
        let last = lines.last().unwrap();
        assert!(last.message.starts_with("7 more lines"), "{}", last.message);
        assert_eq!(last.sequence, MAX_LINES + 1);
    }
}
