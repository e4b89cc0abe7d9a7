//! A run that has ended, in the shape in which programs ask about it.

use std::fmt;

use kycc_proto::orchestrator::v1::{Run, RunStatus, Step};
use kycc_proto::work::v1::metadata_entry::Value as Wire;
use serde_json::Value;

/// How a run ended, step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedRun {
    run: Run,
}

impl FinishedRun {
    pub(crate) fn new(run: Run) -> Self {
        Self { run }
    }

    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run.run_id
    }

    #[must_use]
    pub fn status(&self) -> RunStatus {
        self.run.status()
    }

    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status() == RunStatus::Success
    }

    /// Reason and message of the failure, if it failed.
    #[must_use]
    pub fn failure(&self) -> Option<(&str, &str)> {
        let failure = self.run.failure.as_ref()?;
        Some((&failure.reason, &failure.message))
    }

    #[must_use]
    pub fn step(&self, asset: &str) -> Option<&Step> {
        self.run.steps.iter().find(|step| step.asset == asset)
    }

    /// One entry of a step's metadata, e.g. `metadata("score_batch", "avg_score")`.
    #[must_use]
    pub fn metadata(&self, asset: &str, label: &str) -> Option<Value> {
        let entries = &self.step(asset)?.metadata;
        let entry = entries.iter().find(|entry| entry.label == label)?;
        Some(match entry.value.as_ref()? {
            Wire::IntValue(value) => (*value).into(),
            Wire::FloatValue(value) => (*value).into(),
            Wire::BoolValue(value) => (*value).into(),
            Wire::TextValue(value) => value.as_str().into(),
            Wire::JsonValue(json) => serde_json::from_str(json).unwrap_or(Value::Null),
        })
    }

    /// The run as the API gives it.
    #[must_use]
    pub fn as_proto(&self) -> &Run {
        &self.run
    }
}

/// One line for the run, one for each step.
impl fmt::Display for FinishedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |name: &str, prefix: &str| name.trim_start_matches(prefix).to_owned();
        let status = word(self.status().as_str_name(), "RUN_STATUS_");
        write!(f, "run {} of {}: {status}", self.run.run_id, self.run.job)?;
        for step in &self.run.steps {
            let status = word(step.status().as_str_name(), "STEP_STATUS_");
            let how = if step.memoized {
                ", found in the lake"
            } else {
                ""
            };
            write!(f, "\n  {}: {status}{how}", step.asset)?;
            if let Some(failure) = &step.failure {
                write!(f, ": {} ({})", failure.message, failure.reason)?;
            }
        }
        Ok(())
    }
}
