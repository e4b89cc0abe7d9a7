//! Looks whether a task's datasets are in the lake already: delivered twice, or made by a run before. The key names
//! inputs, config and code, so what stands there is what would come out again.

use kycc_domain::ids::{BatchId, DatasetName, IdError};
use kycc_lake::{Manifest, VersionId};
use kycc_proto::work::v1::Task;

use super::Worker;
use crate::TaskError;

impl Worker {
    /// The manifests of all datasets that the task is expected to make, or `None` while one of them is missing.
    pub(super) async fn find_existing(
        &self,
        task: &Task,
    ) -> Result<Option<Vec<Manifest>>, TaskError> {
        if task.expected_datasets.is_empty() {
            return Ok(None);
        }
        let mut found = Vec::with_capacity(task.expected_datasets.len());
        for dataset in &task.expected_datasets {
            let id = version(task, dataset).map_err(|error| {
                TaskError::fatal(
                    "TASK_MALFORMED",
                    "the task's datasets or batch have no valid names",
                )
                .with_source(error)
            })?;
            match self.lake.manifest(&id).await? {
                Some(manifest) => found.push(manifest),
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }
}

fn version(task: &Task, dataset: &str) -> Result<VersionId, IdError> {
    Ok(VersionId {
        dataset: DatasetName::new(dataset)?,
        batch: BatchId::new(task.batch_id.as_str())?,
        key: task.version_key.clone(),
    })
}
