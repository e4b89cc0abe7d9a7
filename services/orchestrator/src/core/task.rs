//! Transitions of tasks: results, retries, leases. The caller has checked that the attempt is the current one.

use kycc_domain::ids::TaskId;

use super::advance::Turn;
use super::command::{Command, EventKind, Level, LogEntry};
use super::failure::{Failure, FailureKind};
use super::state::{Metadata, RunStatus, TaskStatus, Version};

impl Turn {
    pub(super) fn task_succeeded(
        &mut self,
        s: usize,
        t: usize,
        outputs: Vec<Version>,
        mut metadata: Metadata,
        reused: bool,
    ) {
        if reused {
            metadata.insert("reused".to_owned(), true.into());
        }
        let step = &mut self.state.steps[s];
        let task = &mut step.tasks[t];
        task.status = TaskStatus::Succeeded;
        task.outputs = outputs;
        task.metadata = metadata;
        if self.canceling() {
            self.finish_canceled_step(s);
        } else if self.state.steps[s]
            .tasks
            .iter()
            .all(|task| task.status == TaskStatus::Succeeded)
        {
            self.complete_step(s);
        }
    }

    pub(super) fn task_failed(&mut self, s: usize, t: usize, failure: Failure, retryable: bool) {
        if self.canceling() {
            return self.end_canceled_task(s, t);
        }
        let max_attempts = self.state.steps[s].max_attempts;
        let task = &mut self.state.steps[s].tasks[t];
        task.failures += 1;
        let (id, attempt, failures) = (task.id.clone(), task.attempt, task.failures);
        if !retryable || failures >= max_attempts {
            task.status = TaskStatus::Failed;
            let failure = match retryable && max_attempts > 1 {
                true => Failure {
                    message: format!("{} (attempt {failures} of {max_attempts})", failure.message),
                    ..failure
                },
                false => failure,
            };
            return self.fail_step(s, failure, Some((id, attempt)));
        }
        let rank = task.retry_rank();
        task.attempt += 1;
        task.status = TaskStatus::Waiting;
        let next = task.attempt;
        let message = format!(
            "attempt {failures} of {max_attempts} failed, another follows: {}",
            failure.message
        );
        self.emit_retry(s, &id, next, &failure, message);
        self.commands.push(Command::RetryAfter {
            task: id,
            attempt: next,
            rank,
        });
    }

    /// Asked for while the run is being canceled; otherwise the worker was stopped, and somebody else must do the task: at
    /// once, and however often, for nothing is wrong with it.
    pub(super) fn task_cancelled(&mut self, s: usize, t: usize) {
        if self.canceling() {
            return self.end_canceled_task(s, t);
        }
        let task = &mut self.state.steps[s].tasks[t];
        task.hand_backs += 1;
        task.attempt += 1;
        let (id, next) = (task.id.clone(), task.attempt);
        let failure = Failure::new("TASK_HANDED_BACK", "the worker stopped before it was done")
            .of_kind(FailureKind::WorkerLost);
        let message = "the worker was told to stop and hands the task back, another is asked";
        self.emit_retry(s, &id, next, &failure, message.to_owned());
        self.commands.push(Command::Dispatch {
            task: id,
            attempt: next,
        });
    }

    /// Lost workers and failures are counted apart: a task that fails and a task that kills are different troubles.
    pub(super) fn lease_expired(&mut self, s: usize, t: usize) {
        if self.canceling() {
            return self.end_canceled_task(s, t);
        }
        let step = &mut self.state.steps[s];
        let (asset, max_deliveries) = (step.asset.clone(), step.max_deliveries);
        let task = &mut step.tasks[t];
        task.losses += 1;
        let (id, attempt, losses) = (task.id.clone(), task.attempt, task.losses);
        if losses >= max_deliveries {
            task.status = TaskStatus::Failed;
            let failure = Failure::plain(
                FailureKind::TaskDeadLettered,
                format!(
                    "{losses} worker(s) stopped answering at task {id} of {asset}, as if it kills them; it is a dead letter \
                     now: look at the workers' logs, then replay it"
                ),
            );
            self.commands.push(Command::DeadLetter {
                asset,
                task: id.clone(),
                attempt,
                deliveries: losses,
                error: failure.message.clone(),
            });
            return self.fail_step(s, failure, Some((id, attempt)));
        }
        task.attempt += 1;
        let next = task.attempt;
        let failure = Failure::new("LEASE_EXPIRED", "the worker stopped answering")
            .of_kind(FailureKind::WorkerLost);
        let message = format!(
            "worker {losses} of at most {max_deliveries} stopped answering, another is asked"
        );
        self.emit_retry(s, &id, next, &failure, message);
        self.commands.push(Command::Dispatch {
            task: id,
            attempt: next,
        });
    }

    pub(super) fn retry_due(&mut self, task: &TaskId, attempt: u32) -> Result<(), String> {
        let (s, t) = self.known_task(task, attempt)?;
        let found = &mut self.state.steps[s].tasks[t];
        if found.status == TaskStatus::Waiting && found.attempt == attempt {
            found.status = TaskStatus::Dispatched;
            self.commands.push(Command::Dispatch {
                task: task.clone(),
                attempt,
            });
        } else {
            self.ignore(format!("task {task} does not wait for attempt {attempt}"));
        }
        Ok(())
    }

    fn end_canceled_task(&mut self, s: usize, t: usize) {
        self.state.steps[s].tasks[t].status = TaskStatus::Cancelled;
        self.finish_canceled_step(s);
    }

    fn emit_retry(&mut self, s: usize, task: &TaskId, next: u32, failure: &Failure, text: String) {
        let asset = &self.state.steps[s].asset;
        let entry = LogEntry::of_step(EventKind::StepRetry, Level::Warning, asset, text)
            .of_task(task, next)
            .with("kind", failure.kind.as_str())
            .with("reason", failure.reason.clone());
        self.emit(entry);
    }

    fn canceling(&self) -> bool {
        self.state.status == RunStatus::Canceling
    }
}
