//! Transitions of tasks: results, retries, leases. The caller has checked that the attempt is the current one.

use kycc_domain::ids::TaskId;

use super::advance::Turn;
use super::command::{Command, EventKind, Level, LogEntry};
use super::state::{Failure, Metadata, RunStatus, TaskStatus, Version};

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
        let (id, failed) = (task.id.clone(), task.attempt);
        if !retryable || failed >= max_attempts {
            task.status = TaskStatus::Failed;
            let failure = match retryable && max_attempts > 1 {
                true => Failure {
                    message: format!("{} (attempt {failed} of {max_attempts})", failure.message),
                    ..failure
                },
                false => failure,
            };
            return self.fail_step(s, failure, Some((id, failed)));
        }
        task.attempt += 1;
        task.status = TaskStatus::Waiting;
        let attempt = task.attempt;
        self.emit_retry(s, &id, attempt, &failure);
        self.commands.push(Command::RetryAfter {
            task: id,
            attempt,
            rank: failed - 1,
        });
    }

    /// Asked for while the run is being canceled; otherwise the worker was stopped, and somebody else must do the task.
    pub(super) fn task_cancelled(&mut self, s: usize, t: usize) {
        if self.canceling() {
            return self.end_canceled_task(s, t);
        }
        let failure = Failure::new("TASK_CANCELLED", "the worker stopped before it was done");
        self.task_failed(s, t, failure, true);
    }

    pub(super) fn lease_expired(&mut self, s: usize, t: usize) {
        if self.canceling() {
            return self.end_canceled_task(s, t);
        }
        let step = &mut self.state.steps[s];
        let (asset, max_attempts) = (step.asset.clone(), step.max_attempts);
        let task = &mut step.tasks[t];
        let id = task.id.clone();
        if task.attempt >= max_attempts {
            let attempt = task.attempt;
            task.status = TaskStatus::Failed;
            let failure = Failure::new(
                "LEASE_EXPIRED",
                format!(
                    "the worker of {asset} stopped answering in attempt {attempt} of {max_attempts}, \
                     as if the task kills it; look at the worker's log, then retry the run"
                ),
            );
            return self.fail_step(s, failure, Some((id, attempt)));
        }
        task.attempt += 1;
        let attempt = task.attempt;
        let failure = Failure::new("LEASE_EXPIRED", "the worker stopped answering");
        self.emit_retry(s, &id, attempt, &failure);
        self.commands.push(Command::Dispatch { task: id, attempt });
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

    fn emit_retry(&mut self, s: usize, task: &TaskId, attempt: u32, failure: &Failure) {
        let step = &self.state.steps[s];
        let message = format!(
            "attempt {} of {} failed, another follows: {}",
            attempt - 1,
            step.max_attempts,
            failure.message
        );
        let entry = LogEntry::of_step(EventKind::StepRetry, Level::Warning, &step.asset, message)
            .of_task(task, attempt)
            .with("reason", failure.reason.clone());
        self.emit(entry);
    }

    fn canceling(&self) -> bool {
        self.state.status == RunStatus::Canceling
    }
}
