//! One task given to a handler without a fleet around it: versions are published by hand, and the handler runs on them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use kycc_domain::ids::BatchId;
use kycc_lake::datasets::BATCH;
use kycc_lake::{DatasetSpec, Lake, Manifest, Metadata, Published, Shard};
use kycc_proto::work::v1::{self as work, DatasetVersion, SourceVersion, Task};
use kycc_runtime::{Clock, StepLog, TaskContext, TaskError, TaskHandler, TaskParts};
use serde_json::{Value, json};
use uuid::Uuid;

/// Time stands still, so that nothing in a test depends on it.
#[derive(Debug, Clone, Copy)]
pub struct StillClock(pub DateTime<Utc>);

impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// A batch in a lake of its own, and tasks on what has been published of it.
#[derive(Debug, Clone)]
pub struct TestBatch {
    pub lake: Lake,
    pub batch: BatchId,
    pub threads: usize,
    inputs: Vec<DatasetVersion>,
    sources: Vec<SourceVersion>,
    config: Value,
    resources: Value,
}

impl TestBatch {
    /// In memory, with a batch document of that as-of.
    ///
    /// # Panics
    /// Like all of the kit, where the lake refuses: the test is wrong.
    pub async fn new(batch: &str, as_of: DateTime<Utc>) -> Self {
        let lake = Lake::open("memory:").expect("a lake in memory opens");
        Self::in_lake(lake, batch, as_of).await
    }

    /// As [`new`](Self::new), in a lake that other batches share.
    pub async fn in_lake(lake: Lake, batch: &str, as_of: DateTime<Utc>) -> Self {
        let mut batch = Self {
            lake,
            batch: BatchId::new(batch).expect("the test names its batch by the grammar"),
            threads: 1,
            inputs: Vec::new(),
            sources: Vec::new(),
            config: json!({}),
            resources: json!({}),
        };
        let document = json!({"batch_id": batch.batch.as_str(), "as_of": as_of.timestamp_micros()});
        let id = BATCH.version(batch.batch.clone(), "given");
        let published = batch
            .lake
            .put_document(&BATCH, &id, Uuid::nil(), &document, Metadata::new())
            .await
            .expect("the batch document is published");
        batch.input(published.manifest().expect("a document is complete"));
        batch
    }

    /// Publishes rows as a whole version and makes it an input.
    pub async fn publish(&mut self, spec: &'static DatasetSpec, rows: &RecordBatch) -> Manifest {
        self.publish_with(spec, rows, Metadata::new()).await
    }

    pub async fn publish_with(
        &mut self,
        spec: &'static DatasetSpec,
        rows: &RecordBatch,
        metadata: Metadata,
    ) -> Manifest {
        let id = spec.version(self.batch.clone(), "given");
        let mut writer = self.lake.writer(spec, id, Shard::WHOLE, Uuid::nil());
        writer
            .write(rows)
            .await
            .expect("the rows are of the dataset");
        let published = writer.finish(metadata, |metadata| metadata).await;
        match published.expect("the version is published") {
            Published::Complete(manifest) => {
                self.input(&manifest);
                manifest
            }
            Published::Shard => panic!("a whole version is complete"),
        }
    }

    /// Makes a published version an input of the tasks that follow, in place of one of the same dataset and batch.
    pub fn input(&mut self, manifest: &Manifest) {
        let version = DatasetVersion {
            dataset: manifest.dataset.to_string(),
            batch_id: manifest.batch.to_string(),
            key: manifest.key.clone(),
            digest: manifest.digest.to_string(),
            rows: manifest.rows,
            bytes: manifest.bytes,
            files: manifest.files.len() as u32,
        };
        self.inputs.retain(|other| {
            (&other.dataset, &other.batch_id) != (&version.dataset, &version.batch_id)
        });
        self.inputs.push(version);
    }

    /// What an observer would have found of a source.
    pub fn source(&mut self, name: &str, document: &Value) {
        self.sources.retain(|other| other.source != name);
        self.sources.push(SourceVersion {
            source: name.to_owned(),
            digest: "given".to_owned(),
            document_json: document.to_string(),
        });
    }

    pub fn config(&mut self, config: Value) {
        self.config = config;
    }

    pub fn resources(&mut self, resources: Value) {
        self.resources = resources;
    }

    /// The context of one task. `key` names the version that it produces.
    pub fn context(&self, asset: &str, key: &str, shard: Shard) -> TaskContext {
        let task = Task {
            task_id: format!("{asset}-{shard}"),
            run_id: "run".to_owned(),
            asset: asset.to_owned(),
            attempt: 1,
            batch_id: self.batch.to_string(),
            config_json: self.config.to_string(),
            resources_json: self.resources.to_string(),
            inputs: self.inputs.clone(),
            sources: self.sources.clone(),
            version_key: key.to_owned(),
            shard: Some(work::Shard {
                index: shard.index,
                count: shard.count,
            }),
            principal: "tester".to_owned(),
            ..Task::default()
        };
        let log = Arc::new(StepLog::new(
            &task,
            Arc::new(StillClock(DateTime::UNIX_EPOCH)),
        ));
        let parts = TaskParts {
            lake: self.lake.clone(),
            threads: self.threads,
            memory_bytes: 256 << 20,
            cancel: Arc::new(AtomicBool::new(false)),
            log,
            attempt: Uuid::now_v7(),
        };
        TaskContext::new(task, parts).expect("the kit's task is well-formed")
    }

    /// Runs all shards, one after the other; returns the versions that are complete then.
    pub async fn run(
        &self,
        handler: &dyn TaskHandler,
        key: &str,
        shards: u32,
    ) -> Result<Vec<Manifest>, TaskError> {
        let mut complete = Vec::new();
        for index in 0..shards {
            let shard = Shard {
                index,
                count: shards,
            };
            let output = handler
                .run(&self.context(handler.asset(), key, shard))
                .await?;
            let done = output.published.iter().filter_map(Published::manifest);
            complete.extend(done.cloned());
        }
        Ok(complete)
    }

    /// All rows of a version.
    pub async fn rows(&self, manifest: &Manifest) -> RecordBatch {
        let rows = self.lake.read(&manifest.version(), None, None).await;
        rows.expect("a published version is readable")
    }
}
