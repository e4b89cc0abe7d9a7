//! Does what the core asked for, once it is written.

use std::time::Duration;

use futures::future::join_all;
use kycc_domain::ids::{AssetKey, RunId, TaskId};
use kycc_runtime::crash_point;

use super::handle::{Message, Resolved};
use super::leader::Engine;
use super::resolve::Resolver;
use super::task;
use super::turn::Plan;
use crate::core::{Command, backoff};

/// How long a full lane is left alone.
const ROOM: Duration = Duration::from_millis(200);

impl Engine {
    pub(super) async fn perform(&mut self, effects: Vec<(RunId, Command)>) {
        let mut pushes = Vec::new();
        for (run_id, effect) in effects {
            match effect {
                Command::Dispatch { task, attempt } => pushes.push((run_id, task, attempt)),
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
                | Command::DeadLetter { .. }
                | Command::Emit(_)
                | Command::Ignored { .. } => {}
            }
        }
        if !pushes.is_empty() {
            self.push_all(pushes).await;
            crash_point!("orchestrator.after_push");
        }
    }

    /// All at once. A lane that takes nothing now is tried again later; the store knows that the task is to be done.
    pub(super) async fn push_all(&mut self, attempts: Vec<(RunId, TaskId, u32)>) {
        let queue = &self.parts.queue;
        let messages = attempts
            .into_iter()
            .filter_map(|(run_id, task_id, attempt)| {
                let run = self.live.get(&run_id)?;
                if !Plan::is_current(run, &task_id, attempt) {
                    return None;
                }
                let message = task::message(run, &task_id, attempt)?;
                Some((message, (run_id, task_id, attempt)))
            });
        let pushes = messages.map(|(message, pushed)| async move {
            tracing::debug!(target: "kycc::dispatch", task_id = message.task_id, "the dispatch is committed");
            match queue.push(&message.lane, &message).await {
                Ok(()) => None,
                Err(error) => {
                    tracing::warn!(lane = message.lane, error = %kycc_telemetry::chain(&error), "cannot push a task; trying again");
                    Some(pushed)
                }
            }
        });
        let refused: Vec<_> = join_all(pushes).await.into_iter().flatten().collect();
        if !refused.is_empty() && self.unpushed.is_empty() {
            self.later(ROOM, Message::PushAgain);
        }
        self.unpushed.extend(refused);
    }

    pub(super) async fn push_again(&mut self) {
        let waiting = std::mem::take(&mut self.unpushed);
        self.push_all(waiting).await;
    }

    /// Answers by message.
    fn resolve(&mut self, run_id: &RunId, asset: &AssetKey) {
        let Some(run) = self.live.get(run_id) else {
            return;
        };
        let resolver = Resolver::new(&self.parts, &self.memos, run, &run.state, asset);
        let to_self = self.to_self.clone();
        let (run_id, asset) = (run_id.clone(), asset.clone());
        self.children.spawn(async move {
            let answer = resolver.resolve().await;
            let resolved = Resolved {
                run_id,
                asset,
                answer,
            };
            let _ = to_self.send(Message::Resolved(resolved)).await;
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
        let told = tasks.iter().map(|task| async move {
            if let Err(error) = self.parts.queue.cancel(task.as_str()).await {
                // Its result will not count; the run is given up after its cancel timeout.
                tracing::warn!(task_id = %task, error = %kycc_telemetry::chain(&error), "cannot tell a task to stop");
            }
        });
        join_all(told).await;
    }
}
