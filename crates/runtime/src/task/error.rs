//! Why a task failed, in the form in which it reaches the run's page.

use kycc_lake::LakeError;
use kycc_proto::work::v1::TaskFailed;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// `reason` is stable and UPPER_SNAKE; the message says what, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TaskError {
    reason: &'static str,
    message: String,
    retryable: bool,
    record: Option<String>,
    source: Option<Source>,
}

const CANCELLED: &str = "CANCELLED";

impl TaskError {
    /// Would fail again: bad input, bad config, a defect.
    pub fn fatal(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            retryable: false,
            record: None,
            source: None,
        }
    }

    /// May succeed when tried again: something else was not there.
    pub fn transient(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            retryable: true,
            ..Self::fatal(reason, message)
        }
    }

    /// The task stopped because it was told to.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::fatal(CANCELLED, "the task was cancelled")
    }

    /// The record at fault: file, line or index, field.
    #[must_use]
    pub fn with_record(mut self, record: impl Into<String>) -> Self {
        self.record = Some(record.into());
        self
    }

    /// The cause, for the worker's log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub fn reason(&self) -> &'static str {
        self.reason
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    pub fn record(&self) -> Option<&str> {
        self.record.as_deref()
    }

    pub fn is_cancelled(&self) -> bool {
        self.reason == CANCELLED
    }

    /// As the orchestrator is told. Its reader is an operator of this fleet, so the causes go along.
    #[must_use]
    pub fn to_failed(&self) -> TaskFailed {
        TaskFailed {
            reason: self.reason.to_owned(),
            message: kycc_telemetry::chain(self),
            retryable: self.retryable,
            record: self.record.clone().unwrap_or_default(),
        }
    }
}

impl From<LakeError> for TaskError {
    fn from(error: LakeError) -> Self {
        Self {
            reason: error.reason(),
            message: error.to_string(),
            retryable: error.retryable(),
            record: None,
            source: std::error::Error::source(&error)
                .map(|source| kycc_telemetry::chain(source).into()),
        }
    }
}
