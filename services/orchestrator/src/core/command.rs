//! What the state machine asks for. `Materialize`, `Reuse`, `DeadLetter`, `Emit` and the tasks' rows are written in the
//! transaction of the event; the rest is done after it has been committed, and again after a restart.

use kycc_domain::ids::{AssetKey, TaskId};

use super::state::{Metadata, Version, spelled_enum};

spelled_enum! {
    /// Dagster's names for what happens in a run.
    EventKind {
        RunQueued => "RUN_QUEUED",
        RunStarting => "RUN_STARTING",
        RunStart => "RUN_START",
        RunCanceling => "RUN_CANCELING",
        RunSuccess => "RUN_SUCCESS",
        RunFailure => "RUN_FAILURE",
        RunCanceled => "RUN_CANCELED",
        StepStart => "STEP_START",
        StepRetry => "STEP_RETRY",
        StepMemoized => "STEP_MEMOIZED",
        StepSuccess => "STEP_SUCCESS",
        StepFailure => "STEP_FAILURE",
        StepSkipped => "STEP_SKIPPED",
        StepCanceled => "STEP_CANCELED",
        AssetMaterialization => "ASSET_MATERIALIZATION",
        Log => "LOG",
    }
}

spelled_enum! {
    Level {
        Debug => "DEBUG",
        Info => "INFO",
        Warning => "WARNING",
        Error => "ERROR",
    }
}

/// One entry of a run's event log, before it has its number and time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogEntry {
    pub kind: EventKind,
    /// None: an event of the run.
    pub asset: Option<AssetKey>,
    pub level: Level,
    pub message: String,
    /// 0 where no attempt is concerned.
    pub attempt: u32,
    pub task: Option<TaskId>,
    pub details: Metadata,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    /// Find inputs, observe sources, look the key up; answer with `StepResolved` or `StepResolveFailed`.
    ResolveStep {
        asset: AssetKey,
    },
    /// Push this attempt of the task to its lane.
    Dispatch {
        task: TaskId,
        attempt: u32,
    },
    /// Answer with `RetryDue` after the pause of this rank (0 for the first retry).
    RetryAfter {
        task: TaskId,
        attempt: u32,
        rank: u32,
    },
    CancelTasks {
        tasks: Vec<TaskId>,
    },
    /// Record the version and make it the asset's current one for the batch.
    Materialize {
        asset: AssetKey,
        key: String,
        outputs: Vec<Version>,
        metadata: Metadata,
    },
    /// Make the earlier materialization of this key the current one again.
    Reuse {
        asset: AssetKey,
        key: String,
    },
    /// Keep the task as a dead letter: as many workers as it may cost have died of it.
    DeadLetter {
        asset: AssetKey,
        task: TaskId,
        /// The last one.
        attempt: u32,
        deliveries: u32,
        error: String,
    },
    Emit(LogEntry),
    /// The event changed nothing, and that is in order: it came late, or twice.
    Ignored {
        why: String,
    },
}

impl LogEntry {
    pub(crate) fn of_run(kind: EventKind, level: Level, message: impl Into<String>) -> Self {
        Self {
            kind,
            asset: None,
            level,
            message: message.into(),
            attempt: 0,
            task: None,
            details: Metadata::new(),
        }
    }

    pub(crate) fn of_step(
        kind: EventKind,
        level: Level,
        asset: &AssetKey,
        message: impl Into<String>,
    ) -> Self {
        Self {
            asset: Some(asset.clone()),
            ..Self::of_run(kind, level, message)
        }
    }

    pub(crate) fn of_task(mut self, task: &TaskId, attempt: u32) -> Self {
        self.task = Some(task.clone());
        self.attempt = attempt;
        self
    }

    pub(crate) fn with(mut self, label: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(label.to_owned(), value.into());
        self
    }
}
