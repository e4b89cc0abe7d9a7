//! The state machine: `advance(state, event)` gives the next state and what to do about it.
//!
//! Late, repeated and reordered events change nothing and answer `Ignored`. Events that no history can explain (an
//! unknown task, an attempt that was never made) are errors: they mean that two runs were mixed up.

use kycc_domain::ids::{AssetKey, TaskId};

use super::command::{Command, EventKind, Level, LogEntry};
use super::event::Event;
use super::failure::{Failure, FailureKind};
use super::state::{RunState, RunStatus, StepStatus, TaskStatus};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} is impossible for run {run_id} in status {status}: {why}")]
pub(crate) struct IllegalTransition {
    pub run_id: String,
    pub status: &'static str,
    pub event: &'static str,
    pub why: String,
}

pub(crate) fn advance(
    state: &RunState,
    event: Event,
) -> Result<(RunState, Vec<Command>), IllegalTransition> {
    let name = event.name();
    let mut turn = Turn {
        state: state.clone(),
        commands: Vec::new(),
    };
    match turn.apply(event) {
        Ok(()) => Ok((turn.state, turn.commands)),
        Err(why) => Err(IllegalTransition {
            run_id: state.run_id.to_string(),
            status: state.status.as_str(),
            event: name,
            why,
        }),
    }
}

/// One transition in the making.
pub(super) struct Turn {
    pub(super) state: RunState,
    pub(super) commands: Vec<Command>,
}

impl Turn {
    fn apply(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Started => return self.started(),
            Event::StepResolved {
                asset,
                resolution,
                memo,
            } => {
                let position = self.known_step(&asset)?;
                self.step_resolved(position, resolution, memo)?;
            }
            Event::StepResolveFailed { asset, failure } => {
                let position = self.known_step(&asset)?;
                self.step_resolve_failed(position, failure);
            }
            Event::TaskSucceeded {
                task,
                attempt,
                outputs,
                metadata,
                reused,
            } => {
                if let Some((s, t)) = self.current_attempt(&task, attempt)? {
                    self.task_succeeded(s, t, outputs, metadata, reused);
                }
            }
            Event::TaskFailed {
                task,
                attempt,
                failure,
                retryable,
            } => {
                if let Some((s, t)) = self.current_attempt(&task, attempt)? {
                    self.task_failed(s, t, failure, retryable);
                }
            }
            Event::TaskCancelled { task, attempt } => {
                if let Some((s, t)) = self.current_attempt(&task, attempt)? {
                    self.task_cancelled(s, t);
                }
            }
            Event::LeaseExpired { task, attempt } => {
                if let Some((s, t)) = self.current_attempt(&task, attempt)? {
                    self.lease_expired(s, t);
                }
            }
            Event::RetryDue { task, attempt } => self.retry_due(&task, attempt)?,
            Event::CancelRequested { by } => self.cancel_requested(&by),
            Event::CancelTimedOut => self.cancel_timed_out(),
            Event::RunTimedOut { failure } => self.run_timed_out(failure),
        }
        self.settle();
        Ok(())
    }

    fn started(&mut self) -> Result<(), String> {
        match self.state.status {
            RunStatus::Queued => {
                self.state.status = RunStatus::Starting;
                self.emit(LogEntry::of_run(
                    EventKind::RunStarting,
                    Level::Info,
                    "a slot is free: the run starts",
                ));
                self.settle();
                Ok(())
            }
            RunStatus::Starting | RunStatus::Started => Err("it has its slot already".to_owned()),
            _ => {
                self.ignore("the run is ending or has ended");
                Ok(())
            }
        }
    }

    fn cancel_requested(&mut self, by: &str) {
        match self.state.status {
            RunStatus::Queued | RunStatus::Starting | RunStatus::Started => {
                self.stop(format!("cancel requested by {by}"));
            }
            _ => self.ignore("the run is ending or has ended"),
        }
    }

    fn run_timed_out(&mut self, failure: Failure) {
        match self.state.status {
            RunStatus::Queued | RunStatus::Starting | RunStatus::Started => {
                let message = failure.message.clone();
                self.state.timed_out = true;
                self.state.failure = Some(failure);
                self.stop(message);
            }
            _ => self.ignore("the run is ending or has ended"),
        }
    }

    /// To CANCELING: what has not begun is canceled at once, what runs is told to stop.
    fn stop(&mut self, message: String) {
        self.state.status = RunStatus::Canceling;
        self.emit(LogEntry::of_run(
            EventKind::RunCanceling,
            Level::Warning,
            message,
        ));
        let mut told = Vec::new();
        for s in 0..self.state.steps.len() {
            for task in &mut self.state.steps[s].tasks {
                match task.status {
                    TaskStatus::Waiting => task.status = TaskStatus::Cancelled,
                    TaskStatus::Dispatched => told.push(task.id.clone()),
                    _ => {}
                }
            }
            match self.state.steps[s].status {
                StepStatus::Pending | StepStatus::Resolving => self.cancel_step(s),
                StepStatus::Running => self.finish_canceled_step(s),
                _ => {}
            }
        }
        if !told.is_empty() {
            self.commands.push(Command::CancelTasks { tasks: told });
        }
    }

    /// Gives up tasks that did not stop: their results count no more. A run that failed before keeps its failure.
    fn cancel_timed_out(&mut self) {
        if self.state.status != RunStatus::Canceling {
            return self.ignore("the run is not being canceled");
        }
        let mut given_up = Vec::new();
        for s in 0..self.state.steps.len() {
            let step = &mut self.state.steps[s];
            for task in &mut step.tasks {
                if !task.status.is_terminal() {
                    task.status = TaskStatus::Cancelled;
                    given_up.push(step.asset.to_string());
                }
            }
            if step.status == StepStatus::Running {
                self.finish_canceled_step(s);
            }
        }
        if self.state.failure.is_none() && !given_up.is_empty() {
            let tasks = given_up.len();
            given_up.dedup();
            let message = format!(
                "{tasks} task(s) of {} did not stop in time and were given up",
                given_up.join(", ")
            );
            self.state.failure = Some(Failure::plain(FailureKind::CancelTimeout, message));
        }
    }

    fn known_step(&self, asset: &AssetKey) -> Result<usize, String> {
        self.state
            .step_position(asset)
            .ok_or_else(|| format!("the run has no step {asset}"))
    }

    /// The task, if this attempt is the one that counts: dispatched, and the newest.
    fn current_attempt(
        &mut self,
        task: &TaskId,
        attempt: u32,
    ) -> Result<Option<(usize, usize)>, String> {
        let (s, t) = self.known_task(task, attempt)?;
        let found = &self.state.steps[s].tasks[t];
        if found.attempt == attempt && found.status == TaskStatus::Dispatched {
            return Ok(Some((s, t)));
        }
        let why = format!(
            "attempt {attempt} of task {task} does not count: it is {} in attempt {}",
            found.status.as_str(),
            found.attempt
        );
        self.ignore(why);
        Ok(None)
    }

    pub(super) fn known_task(&self, task: &TaskId, attempt: u32) -> Result<(usize, usize), String> {
        let (s, t) = self
            .state
            .task_position(task)
            .ok_or_else(|| format!("the run has no task {task}"))?;
        let newest = self.state.steps[s].tasks[t].attempt;
        if attempt == 0 || attempt > newest {
            return Err(format!(
                "task {task} has no attempt {attempt}, the newest is {newest}"
            ));
        }
        Ok((s, t))
    }

    pub(super) fn emit(&mut self, entry: LogEntry) {
        self.commands.push(Command::Emit(entry));
    }

    pub(super) fn ignore(&mut self, why: impl Into<String>) {
        self.commands.push(Command::Ignored { why: why.into() });
    }
}
