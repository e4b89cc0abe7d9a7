//! The state of a run: what the state machine moves and the store keeps.
//!
//! A run owns its steps in topological order, a step its tasks. Everything serialises, so that a restart at any state
//! continues from what was written.

use kycc_domain::ids::{AssetKey, DatasetName, RunId, TaskId};
use serde::{Deserialize, Serialize};

use super::failure::Failure;

pub(crate) type Metadata = serde_json::Map<String, serde_json::Value>;

/// An enum whose variants have one spelling, in the database, on the wire and in texts.
macro_rules! spelled_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub(crate) enum $name { $($(#[$note])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            pub(crate) fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text)
            }
        }
    };
}
pub(crate) use spelled_enum;

spelled_enum! {
    RunStatus {
        Queued => "QUEUED",
        Starting => "STARTING",
        Started => "STARTED",
        Success => "SUCCESS",
        Failure => "FAILURE",
        Canceling => "CANCELING",
        Canceled => "CANCELED",
    }
}

impl RunStatus {
    pub(crate) fn is_terminal(self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Canceled)
    }

    /// Counts against `max_concurrent_runs`.
    pub(crate) fn holds_slot(self) -> bool {
        matches!(self, Self::Starting | Self::Started | Self::Canceling)
    }
}

spelled_enum! {
    StepStatus {
        Pending => "PENDING",
        Resolving => "RESOLVING",
        Running => "RUNNING",
        Success => "SUCCESS",
        Failure => "FAILURE",
        Skipped => "SKIPPED",
        Canceled => "CANCELED",
    }
}

impl StepStatus {
    pub(crate) fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Success | Self::Failure | Self::Skipped | Self::Canceled
        )
    }
}

spelled_enum! {
    TaskStatus {
        /// Handed to a lane; a worker may have it.
        Dispatched => "DISPATCHED",
        /// Failed in a way that may pass; its next attempt is due after a pause.
        Waiting => "WAITING",
        Succeeded => "SUCCEEDED",
        Failed => "FAILED",
        Cancelled => "CANCELLED",
    }
}

impl TaskStatus {
    pub(crate) fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// One immutable version of a dataset in the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub dataset: DatasetName,
    pub batch: kycc_domain::ids::BatchId,
    pub key: String,
    pub digest: String,
    pub rows: u64,
    pub bytes: u64,
    pub files: u32,
}

/// What a source outside the lake looked like when the step was resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub name: String,
    pub digest: String,
    pub document: String,
}

/// Everything that a step's tasks need and that was found out when its upstream had ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resolution {
    pub key: String,
    pub inputs: Vec<Version>,
    pub sources: Vec<Source>,
    pub shards: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunState {
    pub run_id: RunId,
    pub status: RunStatus,
    /// In topological order: a step's upstream stands before it.
    pub steps: Vec<StepState>,
    /// Of the first step that failed, or of the timeout that ended the run. A canceled run has one where tasks did not
    /// stop and were given up.
    pub failure: Option<Failure>,
    /// A run that is stopped because of a timeout ends as FAILURE, not as CANCELED.
    pub timed_out: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StepState {
    pub asset: AssetKey,
    /// Positions of the steps of this run that must succeed first.
    pub upstream: Vec<usize>,
    /// Datasets that must be complete when the step has succeeded.
    pub datasets: Vec<DatasetName>,
    /// How often the step's own failures are tried, in all.
    pub max_attempts: u32,
    /// How many workers one task may cost before it is a dead letter.
    pub max_deliveries: u32,
    pub status: StepStatus,
    /// Nothing was computed: the version was there, or was carried over from the run that this one retries.
    pub memoized: bool,
    pub resolution: Option<Resolution>,
    pub tasks: Vec<TaskState>,
    pub outputs: Vec<Version>,
    pub metadata: Metadata,
    pub failure: Option<Failure>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskState {
    pub id: TaskId,
    pub shard: u32,
    pub status: TaskStatus,
    /// Number of the current try, from 1: results of any other are refused.
    pub attempt: u32,
    /// Attempts that ended in a failure: what `max_attempts` limits.
    pub failures: u32,
    /// Attempts whose worker fell silent: what `max_deliveries` limits.
    pub losses: u32,
    /// Attempts whose worker was told to stop: no limit, for nothing was wrong with the task.
    pub hand_backs: u32,
    pub outputs: Vec<Version>,
    pub metadata: Metadata,
}

impl TaskState {
    /// Of the next retry's pause: 0 for the first.
    pub(crate) fn retry_rank(&self) -> u32 {
        self.failures.saturating_sub(1)
    }
}

impl RunState {
    pub(crate) fn step_position(&self, asset: &AssetKey) -> Option<usize> {
        self.steps.iter().position(|step| &step.asset == asset)
    }

    pub(crate) fn step(&self, asset: &AssetKey) -> Option<&StepState> {
        self.steps.iter().find(|step| &step.asset == asset)
    }

    /// Step and task positions of a task id.
    pub(crate) fn task_position(&self, task: &TaskId) -> Option<(usize, usize)> {
        self.steps.iter().enumerate().find_map(|(s, step)| {
            let t = step.tasks.iter().position(|t| &t.id == task)?;
            Some((s, t))
        })
    }

    pub(crate) fn tasks(&self) -> impl Iterator<Item = (&StepState, &TaskState)> {
        self.steps
            .iter()
            .flat_map(|step| step.tasks.iter().map(move |task| (step, task)))
    }
}
