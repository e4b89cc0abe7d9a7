//! The instant that features, scores and labels of a batch are computed for.

use chrono::{DateTime, Utc};
use kycc_lake::datasets::BATCH;
use serde_json::Value;

use super::{TaskContext, TaskError};

impl TaskContext {
    /// The as-of time in the `batch` document, which must be among the task's inputs.
    pub async fn as_of(&self) -> Result<DateTime<Utc>, TaskError> {
        let id = self.input(BATCH.name)?;
        let document = self.lake().document(&id).await?;
        document
            .get("as_of")
            .and_then(Value::as_i64)
            .and_then(DateTime::from_timestamp_micros)
            .ok_or_else(|| {
                TaskError::fatal(
                    "BATCH_DOCUMENT_INVALID",
                    format!(
                        "{id} says no as_of in microseconds since 1970; ingest the batch again"
                    ),
                )
            })
    }
}
