//! What can happen to a run. Everything that goes wrong in production is one of these.

use kycc_domain::ids::{AssetKey, TaskId};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::state::{Metadata, Resolution, Version};

/// An earlier materialization of the same key, still in the lake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memo {
    pub outputs: Vec<Version>,
    pub metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The run queue gave the run a slot.
    Started,
    StepResolved {
        asset: AssetKey,
        resolution: Resolution,
        memo: Option<Memo>,
    },
    StepResolveFailed {
        asset: AssetKey,
        failure: Failure,
    },
    TaskSucceeded {
        task: TaskId,
        attempt: u32,
        outputs: Vec<Version>,
        metadata: Metadata,
        reused: bool,
    },
    TaskFailed {
        task: TaskId,
        attempt: u32,
        failure: Failure,
        retryable: bool,
    },
    /// A worker stopped the task because it was told to.
    TaskCancelled {
        task: TaskId,
        attempt: u32,
    },
    /// The worker stopped answering for longer than a lease.
    LeaseExpired {
        task: TaskId,
        attempt: u32,
    },
    RetryDue {
        task: TaskId,
        attempt: u32,
    },
    CancelRequested {
        by: String,
    },
    /// Tasks that were told to stop have not, for longer than the run's `cancel_timeout_seconds`.
    CancelTimedOut,
    /// The run took longer to start or to end than its definitions allow.
    RunTimedOut {
        failure: Failure,
    },
}

impl Event {
    /// The event's name in errors and logs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::StepResolved { .. } => "StepResolved",
            Self::StepResolveFailed { .. } => "StepResolveFailed",
            Self::TaskSucceeded { .. } => "TaskSucceeded",
            Self::TaskFailed { .. } => "TaskFailed",
            Self::TaskCancelled { .. } => "TaskCancelled",
            Self::LeaseExpired { .. } => "LeaseExpired",
            Self::RetryDue { .. } => "RetryDue",
            Self::CancelRequested { .. } => "CancelRequested",
            Self::CancelTimedOut => "CancelTimedOut",
            Self::RunTimedOut { .. } => "RunTimedOut",
        }
    }
}
