//! Transitions of steps: resolved, succeeded, failed, canceled.

use super::advance::Turn;
use super::command::{Command, EventKind, Level, LogEntry};
use super::event::Memo;
use super::failure::{Failure, FailureKind};
use super::state::{
    Metadata, Resolution, RunState, RunStatus, StepStatus, TaskState, TaskStatus, Version,
};
use kycc_domain::ids::TaskId;

/// Shards differ in how long they took; the step took as long as all of them together.
const SUMMED_OVER_TASKS: &str = "processing_time_seconds";

impl Turn {
    pub(super) fn step_resolved(
        &mut self,
        s: usize,
        resolution: Resolution,
        memo: Option<Memo>,
    ) -> Result<(), String> {
        if resolution.shards == 0 {
            return Err("a step has at least one shard".to_owned());
        }
        if self.state.steps[s].status != StepStatus::Resolving {
            self.ignore(format!(
                "step {} is not being resolved",
                self.state.steps[s].asset
            ));
            return Ok(());
        }
        if self.state.status == RunStatus::Starting {
            self.state.status = RunStatus::Started;
            self.emit(LogEntry::of_run(
                EventKind::RunStart,
                Level::Info,
                "the run has started",
            ));
        }
        match memo {
            Some(memo) => self.reuse(s, resolution, memo),
            None => self.dispatch_all(s, resolution),
        }
        Ok(())
    }

    pub(super) fn step_resolve_failed(&mut self, s: usize, mut failure: Failure) {
        if self.state.steps[s].status == StepStatus::Resolving {
            // None of its code has run yet: what it reads is at fault, unless the resolver knows better.
            if failure.kind == FailureKind::StepFailure {
                failure.kind = FailureKind::Inputs;
            }
            self.fail_step(s, failure, None);
        } else {
            self.ignore(format!(
                "step {} is not being resolved",
                self.state.steps[s].asset
            ));
        }
    }

    fn reuse(&mut self, s: usize, resolution: Resolution, memo: Memo) {
        let step = &mut self.state.steps[s];
        let (asset, key) = (step.asset.clone(), resolution.key.clone());
        step.status = StepStatus::Success;
        step.memoized = true;
        step.resolution = Some(resolution);
        step.outputs = memo.outputs;
        step.metadata = memo.metadata;
        let entry = LogEntry::of_step(
            EventKind::StepMemoized,
            Level::Info,
            &asset,
            format!("version {key} is in the lake already: nothing to compute"),
        )
        .with("version_key", key.clone());
        self.commands.push(Command::Reuse {
            asset: asset.clone(),
            key,
        });
        self.emit(entry);
        self.emit(LogEntry::of_step(
            EventKind::StepSuccess,
            Level::Info,
            &asset,
            format!("{asset} succeeded without computing"),
        ));
    }

    fn dispatch_all(&mut self, s: usize, resolution: Resolution) {
        let ids: Vec<TaskId> = (0..resolution.shards)
            .map(|shard| task_id(&self.state, s, shard))
            .collect();
        let step = &mut self.state.steps[s];
        let asset = step.asset.clone();
        let key = resolution.key.clone();
        step.status = StepStatus::Running;
        step.resolution = Some(resolution);
        step.tasks = ids
            .iter()
            .zip(0..)
            .map(|(id, shard)| TaskState {
                id: id.clone(),
                shard,
                status: TaskStatus::Dispatched,
                attempt: 1,
                failures: 0,
                losses: 0,
                hand_backs: 0,
                outputs: Vec::new(),
                metadata: Metadata::new(),
            })
            .collect();
        self.emit(
            LogEntry::of_step(
                EventKind::StepStart,
                Level::Info,
                &asset,
                format!("{asset} started in {} task(s)", ids.len()),
            )
            .with("version_key", key)
            .with("tasks", ids.len()),
        );
        let dispatches = ids
            .into_iter()
            .map(|task| Command::Dispatch { task, attempt: 1 });
        self.commands.extend(dispatches);
    }

    /// All tasks have succeeded: the versions that they completed must be all that the asset promises.
    pub(super) fn complete_step(&mut self, s: usize) {
        let step = &self.state.steps[s];
        let (outputs, metadata) = merged(&step.tasks);
        if let Some(missing) = step
            .datasets
            .iter()
            .find(|dataset| !outputs.iter().any(|v| &v.dataset == *dataset))
        {
            let message = format!(
                "all tasks of {} succeeded but dataset {missing} is not complete",
                step.asset
            );
            return self.fail_step(s, Failure::new("INCOMPLETE_OUTPUT", message), None);
        }
        let key = step
            .resolution
            .as_ref()
            .map(|resolution| resolution.key.clone())
            .unwrap_or_default();
        let step = &mut self.state.steps[s];
        let asset = step.asset.clone();
        step.status = StepStatus::Success;
        step.outputs.clone_from(&outputs);
        step.metadata.clone_from(&metadata);
        let rows: u64 = outputs.iter().map(|version| version.rows).sum();
        self.emit(
            LogEntry::of_step(
                EventKind::AssetMaterialization,
                Level::Info,
                &asset,
                format!("materialized {asset}: {rows} rows"),
            )
            .with("version_key", key.clone())
            .with("metadata", metadata.clone()),
        );
        self.commands.push(Command::Materialize {
            asset: asset.clone(),
            key,
            outputs,
            metadata,
        });
        let message = format!("{asset} succeeded");
        self.emit(LogEntry::of_step(
            EventKind::StepSuccess,
            Level::Info,
            &asset,
            message,
        ));
    }

    /// Ends the step; its other tasks are told to stop and no longer count.
    pub(super) fn fail_step(&mut self, s: usize, failure: Failure, task: Option<(TaskId, u32)>) {
        let step = &mut self.state.steps[s];
        let asset = step.asset.clone();
        step.status = StepStatus::Failure;
        step.failure = Some(failure.clone());
        let mut told = Vec::new();
        for other in &mut step.tasks {
            if other.status == TaskStatus::Dispatched {
                told.push(other.id.clone());
            }
            if !other.status.is_terminal() {
                other.status = TaskStatus::Cancelled;
            }
        }
        if !told.is_empty() {
            self.commands.push(Command::CancelTasks { tasks: told });
        }
        let mut entry = LogEntry::of_step(
            EventKind::StepFailure,
            Level::Error,
            &asset,
            failure.message.clone(),
        )
        .with("kind", failure.kind.as_str())
        .with("reason", failure.reason.clone());
        if !failure.record.is_empty() {
            entry = entry.with("record", failure.record.clone());
        }
        if let Some((task, attempt)) = &task {
            entry = entry.of_task(task, *attempt);
        }
        self.emit(entry);
        if self.state.failure.is_none() {
            self.state.failure = Some(Failure {
                message: format!("step {asset} failed: {}", failure.message),
                ..failure
            });
        }
    }

    pub(super) fn cancel_step(&mut self, s: usize) {
        let step = &mut self.state.steps[s];
        let asset = step.asset.clone();
        step.status = StepStatus::Canceled;
        let message = format!("{asset} canceled");
        self.emit(LogEntry::of_step(
            EventKind::StepCanceled,
            Level::Warning,
            &asset,
            message,
        ));
    }

    /// While the run is being canceled: a step ends with its last task.
    pub(super) fn finish_canceled_step(&mut self, s: usize) {
        let tasks = &self.state.steps[s].tasks;
        if tasks.iter().all(|t| t.status == TaskStatus::Succeeded) {
            self.complete_step(s);
        } else if tasks.iter().all(|t| t.status.is_terminal()) {
            self.cancel_step(s);
        }
    }
}

/// Deterministic, so that a resolution repeated after a restart names the same tasks.
fn task_id(state: &RunState, s: usize, shard: u32) -> TaskId {
    TaskId::new(format!("{}.{s}.{shard}", state.run_id))
        .expect("a run id, which is bounded, and two numbers make a task id")
}

/// Outputs by dataset and metadata by label, later tasks over earlier, those that completed a version over the rest.
fn merged(tasks: &[TaskState]) -> (Vec<Version>, Metadata) {
    let mut outputs: Vec<Version> = Vec::new();
    let mut metadata = Metadata::new();
    let mut seconds = 0.0;
    let (complete, partial): (Vec<_>, Vec<_>) =
        tasks.iter().partition(|task| !task.outputs.is_empty());
    for task in partial.into_iter().chain(complete) {
        for version in &task.outputs {
            outputs.retain(|other| other.dataset != version.dataset);
            outputs.push(version.clone());
        }
        metadata.extend(task.metadata.clone());
        seconds += task
            .metadata
            .get(SUMMED_OVER_TASKS)
            .and_then(serde_json::Value::as_f64)
            .unwrap_or(0.0);
    }
    if metadata.contains_key(SUMMED_OVER_TASKS) {
        metadata.insert(SUMMED_OVER_TASKS.to_owned(), seconds.into());
    }
    outputs.sort_by(|a, b| a.dataset.cmp(&b.dataset));
    (outputs, metadata)
}
