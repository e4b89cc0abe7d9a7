//! One task in a handler's hands: what it is of, what it reads, where it writes, whom it tells.

mod as_of;
mod error;
mod step_log;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kycc_domain::ids::{BatchId, DatasetName, IdError};
use kycc_lake::{DatasetSpec, Lake, Metadata, Published, Shard, VersionId};
use kycc_proto::work::v1::{DatasetVersion, SourceVersion, Task};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

pub use error::TaskError;
pub use step_log::StepLog;
pub use writer::TaskWriter;

/// What a worker gives to a task beside the task itself.
#[derive(Debug, Clone)]
pub struct TaskParts {
    pub lake: Lake,
    pub threads: usize,
    pub memory_bytes: usize,
    pub cancel: Arc<AtomicBool>,
    pub log: Arc<StepLog>,
    /// Names the folder of this attempt; never used twice.
    pub attempt: Uuid,
}

/// Handed to [`TaskHandler::run`](crate::TaskHandler::run).
#[derive(Debug)]
pub struct TaskContext {
    task: Task,
    batch: BatchId,
    shard: Shard,
    config: Value,
    resources: Value,
    inputs: Vec<VersionId>,
    parts: TaskParts,
}

impl TaskContext {
    /// Checks the message; every error here is a task that another program or version wrote.
    pub fn new(task: Task, parts: TaskParts) -> Result<Self, TaskError> {
        let batch = BatchId::new(task.batch_id.as_str())
            .map_err(|error| malformed(&task, "batch_id").with_source(error))?;
        let shard = match &task.shard {
            Some(shard) if shard.count > 0 && shard.index < shard.count => Shard {
                index: shard.index,
                count: shard.count,
            },
            Some(_) => return Err(malformed(&task, "shard")),
            None => Shard::WHOLE,
        };
        Ok(Self {
            config: object(&task, "config_json", &task.config_json)?,
            resources: object(&task, "resources_json", &task.resources_json)?,
            inputs: inputs(&task)?,
            task,
            batch,
            shard,
            parts,
        })
    }

    pub fn batch(&self) -> &BatchId {
        &self.batch
    }

    /// Which part of the step this task is; [`Shard::ordinals`] says of which parties.
    pub fn shard(&self) -> Shard {
        self.shard
    }

    /// Who launched the run.
    pub fn principal(&self) -> &str {
        &self.task.principal
    }

    pub fn task_id(&self) -> &str {
        &self.task.task_id
    }

    pub fn run_id(&self) -> &str {
        &self.task.run_id
    }

    pub fn asset(&self) -> &str {
        &self.task.asset
    }

    /// Key of what the task produces: of its inputs, config and code.
    pub fn version_key(&self) -> &str {
        &self.task.version_key
    }

    pub fn lake(&self) -> &Lake {
        &self.parts.lake
    }

    pub fn threads(&self) -> usize {
        self.parts.threads
    }

    pub fn memory_bytes(&self) -> usize {
        self.parts.memory_bytes
    }

    /// The asset's config, defaults filled in.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, TaskError> {
        serde_json::from_value(self.config.clone()).map_err(|error| {
            TaskError::fatal(
                "CONFIG_INVALID",
                format!("the config of {} is not usable: {error}", self.task.asset),
            )
        })
    }

    /// Resources of the run, a JSON object.
    pub fn resources(&self) -> &Value {
        &self.resources
    }

    /// The version of `dataset` of this task's batch.
    pub fn input(&self, dataset: &str) -> Result<VersionId, TaskError> {
        self.inputs
            .iter()
            .find(|input| input.dataset.as_str() == dataset && input.batch == self.batch)
            .cloned()
            .ok_or_else(|| self.missing_input(dataset))
    }

    /// The versions of `dataset` that the task was given, of all batches, ordered by batch.
    pub fn inputs(&self, dataset: &str) -> Vec<VersionId> {
        self.inputs
            .iter()
            .filter(|input| input.dataset.as_str() == dataset)
            .cloned()
            .collect()
    }

    pub fn source(&self, name: &str) -> Result<&SourceVersion, TaskError> {
        self.task
            .sources
            .iter()
            .find(|source| source.source == name)
            .ok_or_else(|| {
                TaskError::fatal(
                    "SOURCE_MISSING",
                    format!(
                        "{} was dispatched without its source {name}; the pipeline must list it under the asset's sources",
                        self.task.asset
                    ),
                )
            })
    }

    pub fn info(&self, message: impl Into<String>) {
        self.parts.log.info(message);
    }

    pub fn warning(&self, message: impl Into<String>) {
        self.parts.log.warning(message);
    }

    pub fn error(&self, message: impl Into<String>) {
        self.parts.log.error(message);
    }

    /// Work done and to do, in the step's own unit. Cheap; only the newest is sent.
    pub fn progress(&self, done: u64, total: u64) {
        self.parts.log.progress(done, total);
    }

    /// Kernels call it once a chunk: it costs one load.
    pub fn check_cancelled(&self) -> Result<(), TaskError> {
        if self.parts.cancel.load(Ordering::Relaxed) {
            Err(TaskError::cancelled())
        } else {
            Ok(())
        }
    }

    /// For kernels that take a flag instead of a context.
    pub fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.parts.cancel)
    }

    /// The version of `dataset` that this task produces (its part of).
    ///
    /// # Panics
    /// When `dataset` is no dataset's name; names are constants of `kycc_lake::datasets`.
    pub fn version(&self, dataset: &str) -> VersionId {
        VersionId {
            dataset: DatasetName::new(dataset)
                .expect("datasets are named by constants of the lake"),
            batch: self.batch.clone(),
            key: self.task.version_key.clone(),
        }
    }

    /// Writes this task's part of one of its datasets.
    pub fn writer(&self, spec: &'static DatasetSpec) -> TaskWriter {
        TaskWriter::new(self.parts.lake.writer(
            spec,
            self.version(spec.name),
            self.shard,
            self.parts.attempt,
        ))
    }

    /// Publishes a dataset that is one JSON document.
    pub async fn put_document(
        &self,
        spec: &'static DatasetSpec,
        document: &Value,
        metadata: Metadata,
    ) -> Result<Published, TaskError> {
        crate::crash_point!("lake.before_manifest");
        let id = self.version(spec.name);
        let published = self
            .parts
            .lake
            .put_document(spec, &id, self.parts.attempt, document, metadata)
            .await?;
        crate::crash_point!("lake.after_manifest");
        Ok(published)
    }

    fn missing_input(&self, dataset: &str) -> TaskError {
        let given: Vec<String> = self
            .inputs
            .iter()
            .map(|input| format!("{} of {}", input.dataset, input.batch))
            .collect();
        TaskError::fatal(
            "INPUT_MISSING",
            format!(
                "{} was dispatched without dataset {dataset} of batch {}; it was given: {}",
                self.task.asset,
                self.batch,
                if given.is_empty() {
                    "nothing".to_owned()
                } else {
                    given.join(", ")
                }
            ),
        )
    }
}

/// The task's inputs, ordered by dataset, then batch.
fn inputs(task: &Task) -> Result<Vec<VersionId>, TaskError> {
    let named = |input: &DatasetVersion| {
        Ok::<_, IdError>(VersionId {
            dataset: DatasetName::new(input.dataset.as_str())?,
            batch: BatchId::new(input.batch_id.as_str())?,
            key: input.key.clone(),
        })
    };
    let mut versions = task
        .inputs
        .iter()
        .map(named)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| malformed(task, "inputs").with_source(error))?;
    versions.sort();
    Ok(versions)
}

/// Empty text is an empty object.
fn object(task: &Task, field: &'static str, json: &str) -> Result<Value, TaskError> {
    if json.is_empty() {
        return Ok(Value::Object(Metadata::new()));
    }
    match serde_json::from_str(json) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(malformed(task, field)),
        Err(error) => Err(malformed(task, field).with_source(error)),
    }
}

fn malformed(task: &Task, field: &'static str) -> TaskError {
    TaskError::fatal(
        "TASK_MALFORMED",
        format!(
            "field {field} of task {} is not what a task carries; orchestrator and worker must be of compatible versions",
            task.task_id
        ),
    )
}
