//! The lake's writer as a task sees it, with the points at which tests kill the process.

use arrow::array::RecordBatch;
use kycc_lake::{Metadata, Published, VersionWriter};

use crate::TaskError;

/// Writes a task's part of one dataset. Nothing is visible before [`finish`](Self::finish).
#[derive(Debug)]
pub struct TaskWriter {
    inner: VersionWriter,
}

impl TaskWriter {
    pub(super) fn new(inner: VersionWriter) -> Self {
        Self { inner }
    }

    /// Appends rows, in the dataset's final order.
    pub async fn write(&mut self, rows: &RecordBatch) -> Result<(), TaskError> {
        Ok(self.inner.write(rows).await?)
    }

    /// Publishes. `metadata` holds deterministic values only; that of several shards is merged, then `summarize`d.
    pub async fn finish(
        self,
        metadata: Metadata,
        summarize: impl FnOnce(Metadata) -> Metadata,
    ) -> Result<Published, TaskError> {
        crate::crash_point!("lake.before_manifest");
        let published = self.inner.finish(metadata, summarize).await?;
        crate::crash_point!("lake.after_manifest");
        Ok(published)
    }
}
