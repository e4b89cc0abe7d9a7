//! Why a step or a run did not succeed: a kind that programs decide by, and words for people.

use serde::{Deserialize, Serialize};

/// Who or what ended it. The wire has the same list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum FailureKind {
    /// The step's own code said that it failed, or did not make what it promises.
    StepFailure,
    /// Inputs are missing, or a source could not be observed: nothing was dispatched.
    Inputs,
    /// The definitions that the run pins do not have what it needs.
    Definitions,
    /// No step could be started within `start_timeout_seconds`.
    StartTimeout,
    /// The run took longer than `max_runtime_seconds`, or than its tag allows.
    MaxRuntimeExceeded,
    /// Tasks that were told to stop did not, for `cancel_timeout_seconds`.
    CancelTimeout,
    /// Workers stopped before they were done, as often as a step may be tried.
    WorkerLost,
    /// `max_deliveries` workers died of the task.
    TaskDeadLettered,
}

impl FailureKind {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 8] = [
        Self::StepFailure,
        Self::Inputs,
        Self::Definitions,
        Self::StartTimeout,
        Self::MaxRuntimeExceeded,
        Self::CancelTimeout,
        Self::WorkerLost,
        Self::TaskDeadLettered,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::StepFailure => "STEP_FAILURE",
            Self::Inputs => "INPUTS",
            Self::Definitions => "DEFINITIONS",
            Self::StartTimeout => "START_TIMEOUT",
            Self::MaxRuntimeExceeded => "MAX_RUNTIME_EXCEEDED",
            Self::CancelTimeout => "CANCEL_TIMEOUT",
            Self::WorkerLost => "WORKER_LOST",
            Self::TaskDeadLettered => "TASK_DEAD_LETTERED",
        }
    }
}

/// `reason` is stable and UPPER_SNAKE, and finer than the kind: steps have reasons of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    #[serde(default = "of_a_step")]
    pub kind: FailureKind,
    pub reason: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub record: String,
}

/// What was written before there were kinds.
fn of_a_step() -> FailureKind {
    FailureKind::StepFailure
}

impl Failure {
    /// Of a step's own code, unless [`Self::of_kind`] says otherwise.
    pub(crate) fn new(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::StepFailure,
            reason: reason.into(),
            message: message.into(),
            record: String::new(),
        }
    }

    /// For what has no finer reason: the kind is the reason.
    pub(crate) fn plain(kind: FailureKind, message: impl Into<String>) -> Self {
        Self::new(kind.as_str(), message).of_kind(kind)
    }

    pub(crate) fn of_kind(self, kind: FailureKind) -> Self {
        Self { kind, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_was_written_before_there_were_kinds_is_the_steps_own() {
        let read: Failure =
            serde_json::from_str(r#"{"reason": "BROKEN", "message": "it broke"}"#).unwrap();
        assert_eq!(read, Failure::new("BROKEN", "it broke"));
        assert_eq!(read.kind, FailureKind::StepFailure);
    }

    #[test]
    fn kinds_are_stored_as_they_are_spelled() {
        for kind in FailureKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
