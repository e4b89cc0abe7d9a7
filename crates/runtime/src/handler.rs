//! What a service implements to do tasks and to look at sources.

use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_lake::{Metadata, Published};
use kycc_proto::work::v1::SourceVersion;
use serde_json::Value;

use crate::{TaskContext, TaskError};

/// Computes one asset. A pure function of the task's inputs, config and code: same task, same rows, whatever the
/// number of threads and shards. Runs on the compute threads, so CPU work inside is fine.
#[async_trait]
pub trait TaskHandler: Send + Sync {
    /// Key of the asset, e.g. `score_batch`.
    fn asset(&self) -> &'static str;

    /// Writes every dataset of the asset at [`TaskContext::version`] and returns what was published.
    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError>;
}

/// What a handler made.
#[derive(Debug, Default)]
pub struct Output {
    /// One per dataset.
    pub published: Vec<Published>,
    /// Of the materialization, beyond what the manifests carry. The runtime adds rows, bytes, digests and the time.
    pub metadata: Metadata,
}

/// Looks at something outside the lake, so that a step can be keyed by it before it is dispatched.
#[async_trait]
pub trait SourceObserver: Send + Sync {
    /// Name of the source, e.g. `active_scorecard`.
    fn source(&self) -> &'static str;

    /// The source as it is now. `config` is that of the asset with defaults filled in, `resources` those of the run.
    async fn observe(
        &self,
        batch: &BatchId,
        config: &Value,
        resources: &Value,
    ) -> Result<SourceVersion, TaskError>;
}
