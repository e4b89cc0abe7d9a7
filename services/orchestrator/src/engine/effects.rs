//! Does what the core asked for, once it is written.

use std::time::Duration;

use kycc_domain::ids::{AssetKey, RunId, TaskId};
use kycc_runtime::crash_point;

use super::handle::Message;
use super::leader::Engine;
use super::resolve::Resolver;
use super::task;
use super::turn::Plan;
use crate::core::{Command, backoff};

/// How long a full lane is left alone.
const ROOM: Duration = Duration::from_millis(200);

impl Engine {
    pub(super) async fn perform(&mut self, effects: Vec<(RunId, Command)>) {
        let mut pushed = false;
        for (run_id, effect) in effects {
            match effect {
                Command::Dispatch { task, attempt } => {
                    pushed = true;
                    self.push(run_id, task, attempt).await;
                }
                Command::ResolveStep { asset } => self.resolve(&run_id, &asset),
                Command::RetryAfter {
                    task,
                    attempt,
                    rank,
                } => self.retry_after(run_id, task, attempt, rank),
                Command::CancelTasks { tasks } => self.cancel_tasks(&tasks).await,
                // Part of what was written.
                Command::Materialize { .. }
                | Command::Reuse { .. }
                | Command::Emit(_)
                | Command::Ignored { .. } => {}
            }
        }
        if pushed {
            crash_point!("orchestrator.after_push");
        }
    }

    /// A lane that takes nothing now is tried again later; the store knows that the task is to be done.
    async fn push(&mut self, run_id: RunId, task_id: TaskId, attempt: u32) {
        let message = self
            .live
            .get(&run_id)
            .filter(|run| Plan::is_current(run, &task_id, attempt))
            .and_then(|run| task::message(run, &task_id, attempt));
        let Some(message) = message else { return };
        tracing::debug!(target: "kycc::dispatch", task_id = %task_id, "the dispatch is committed");
        if let Err(error) = self.parts.queue.push(&message.lane, &message).await {
            tracing::warn!(lane = message.lane, error = %kycc_telemetry::chain(&error), "cannot push a task; trying again");
            if self.unpushed.is_empty() {
                self.later(ROOM, Message::PushAgain);
            }
            self.unpushed.push((run_id, task_id, attempt));
        }
    }

    pub(super) async fn push_again(&mut self) {
        for (run_id, task_id, attempt) in std::mem::take(&mut self.unpushed) {
            self.push(run_id, task_id, attempt).await;
        }
    }

    fn resolve(&mut self, run_id: &RunId, asset: &AssetKey) {
        let Some(run) = self.live.get(run_id) else {
            return;
        };
        let resolver = Resolver::new(&self.parts, run, asset);
        let to_self = self.to_self.clone();
        let (run_id, asset) = (run_id.clone(), asset.clone());
        self.children.spawn(async move {
            let answer = resolver.resolve().await;
            let message = Message::Resolved {
                run_id,
                asset,
                answer,
            };
            let _ = to_self.send(message).await;
        });
    }

    fn retry_after(&mut self, run_id: RunId, task: TaskId, attempt: u32, rank: u32) {
        let Some(run) = self.live.get(&run_id) else {
            return;
        };
        let asset = run
            .state
            .task_position(&task)
            .and_then(|(s, _)| run.definitions.asset(run.state.steps[s].asset.as_str()));
        let policy = asset.map_or(run.definitions.retries, |a| run.definitions.retries(a));
        let pause = backoff(&policy, task.as_str(), rank);
        let message = Message::RetryDue {
            run_id,
            task,
            attempt,
        };
        self.later(pause, message);
    }

    async fn cancel_tasks(&self, tasks: &[TaskId]) {
        for task in tasks {
            if let Err(error) = self.parts.queue.cancel(task.as_str()).await {
                // Its result will not count; the run is given up after its cancel timeout.
                tracing::warn!(task_id = %task, error = %kycc_telemetry::chain(&error), "cannot tell a task to stop");
            }
        }
    }
}
