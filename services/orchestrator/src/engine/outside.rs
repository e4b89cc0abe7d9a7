//! What resolving a step asks of the world: sources, the lake, people's files.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use kycc_domain::ids::{BatchId, DatasetName};
use kycc_lake::{Kind, Lake, LakeError, Manifest, Metadata, VersionId};
use kycc_proto::work::v1::ObserveRequest;
use kycc_proto::work::v1::source_service_client::SourceServiceClient;
use kycc_rpc::ClientError;
use kycc_runtime::Clock;
use tonic::transport::Channel;

use super::roots::Roots;
use crate::core::{Failure, Source, Version};

/// Why something outside could not be had, and whether that may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub failure: Failure,
    pub retryable: bool,
}

#[async_trait]
pub(crate) trait Outside: std::fmt::Debug + Send + Sync {
    /// A source as it is now. `config` and `resources` are JSON objects.
    async fn observe(
        &self,
        source: &str,
        batch: &BatchId,
        config: &str,
        resources: &str,
    ) -> Result<Source, Refusal>;

    /// Whether the version can be read.
    async fn exists(&self, version: &Version) -> Result<bool, Refusal>;

    /// Makes a version of a dataset from a file; the same file, the same version.
    async fn import(
        &self,
        dataset: &DatasetName,
        batch: &BatchId,
        uri: &str,
    ) -> Result<Version, Refusal>;

    /// Removes versions that are not in `keep` and were last written before `older_than`, microseconds UTC. Answers how many.
    async fn collect(&self, keep: &HashSet<VersionId>, older_than: i64) -> Result<u64, Refusal>;
}

/// The world of a fleet.
#[derive(Debug)]
pub(crate) struct FleetOutside {
    pub channel: Channel,
    pub lake: Lake,
    pub roots: Roots,
    pub clock: Arc<dyn Clock>,
}

/// Looking at a source may mean reading a whole batch.
const OBSERVE: Duration = Duration::from_secs(600);

#[async_trait]
impl Outside for FleetOutside {
    async fn observe(
        &self,
        source: &str,
        batch: &BatchId,
        config: &str,
        resources: &str,
    ) -> Result<Source, Refusal> {
        let mut request = kycc_rpc::traced(ObserveRequest {
            source: source.to_owned(),
            batch_id: batch.to_string(),
            config_json: config.to_owned(),
            resources_json: resources.to_owned(),
        });
        request.set_timeout(OBSERVE);
        let answer = SourceServiceClient::new(self.channel.clone())
            .observe(request)
            .await
            .map_err(|status| observation(source, &ClientError::from(status)))?;
        let version = answer.into_inner().version.unwrap_or_default();
        if version.digest.is_empty() {
            let message = format!("source {source} has no digest");
            return Err(refused("SOURCE_INVALID", message));
        }
        Ok(Source {
            name: source.to_owned(),
            digest: version.digest,
            document: version.document_json,
        })
    }

    async fn exists(&self, version: &Version) -> Result<bool, Refusal> {
        let id = VersionId {
            dataset: version.dataset.clone(),
            batch: version.batch.clone(),
            key: version.key.clone(),
        };
        let manifest = self.lake.manifest(&id).await.map_err(|e| lake(&e))?;
        Ok(manifest.is_some_and(|found| found.digest.as_str() == version.digest))
    }

    async fn import(
        &self,
        dataset: &DatasetName,
        batch: &BatchId,
        uri: &str,
    ) -> Result<Version, Refusal> {
        let path = self
            .roots
            .resolve(uri)
            .map_err(|message| refused("INPUT_REFUSED", format!("input {dataset}: {message}")))?;
        let spec = kycc_lake::dataset(dataset.as_str()).map_err(|e| lake(&e))?;
        let key = file_key(dataset, &path).await?;
        let id = spec.version(batch.clone(), key);
        if let Some(manifest) = self.lake.manifest(&id).await.map_err(|e| lake(&e))? {
            return Ok(version(&manifest));
        }
        let attempt = self.clock.new_id();
        let published = match spec.kind {
            Kind::Table => self.lake.import_table(spec, &id, &path, attempt).await,
            Kind::Document => {
                let document = read_document(dataset, &path).await?;
                let metadata = Metadata::new();
                self.lake
                    .put_document(spec, &id, attempt, &document, metadata)
                    .await
            }
        };
        let published = published.map_err(|e| lake(&e))?;
        published
            .manifest()
            .map(version)
            .ok_or_else(|| refused("INPUT_INVALID", format!("input {dataset} is not complete")))
    }

    async fn collect(&self, keep: &HashSet<VersionId>, older_than: i64) -> Result<u64, Refusal> {
        let older_than = DateTime::from_timestamp_micros(older_than).unwrap_or_default();
        let removed = self.lake.delete_unreferenced(keep, older_than).await;
        let removed = removed.map_err(|e| lake(&e))?;
        if removed.versions > 0 {
            tracing::info!(?removed, "collected versions that nothing refers to");
        }
        Ok(removed.versions)
    }
}

async fn file_key(dataset: &DatasetName, path: &Path) -> Result<String, Refusal> {
    let (name, path) = (dataset.clone(), path.to_owned());
    let hashed = tokio::task::spawn_blocking(move || {
        let mut hasher = blake3::Hasher::new();
        hasher.update(name.as_str().as_bytes());
        hasher.update(&[0]);
        hasher.update_reader(std::fs::File::open(&path)?)?;
        Ok::<_, std::io::Error>(hasher.finalize().to_hex()[..32].to_owned())
    });
    match hashed.await {
        Ok(Ok(key)) => Ok(key),
        Ok(Err(error)) => Err(unreadable(dataset, &error)),
        Err(error) => Err(refused(
            "INPUT_UNREADABLE",
            format!("input {dataset}: {error}"),
        )),
    }
}

async fn read_document(dataset: &DatasetName, path: &Path) -> Result<serde_json::Value, Refusal> {
    let text = tokio::fs::read(path)
        .await
        .map_err(|error| unreadable(dataset, &error))?;
    serde_json::from_slice(&text).map_err(|error| {
        refused(
            "INPUT_INVALID",
            format!("input {dataset} is not a JSON document: {error}"),
        )
    })
}

fn unreadable(dataset: &DatasetName, error: &std::io::Error) -> Refusal {
    refused(
        "INPUT_UNREADABLE",
        format!("input {dataset} cannot be read: {error}"),
    )
}

fn version(manifest: &Manifest) -> Version {
    Version {
        dataset: manifest.dataset.clone(),
        batch: manifest.batch.clone(),
        key: manifest.key.clone(),
        digest: manifest.digest.to_string(),
        rows: manifest.rows,
        bytes: manifest.bytes,
        files: u32::try_from(manifest.files.len()).unwrap_or(u32::MAX),
    }
}

fn observation(source: &str, error: &ClientError) -> Refusal {
    let message = format!("source {source} cannot be observed: {}", error.message());
    Refusal {
        failure: Failure::new(error.reason(), message),
        retryable: error.is_transient(),
    }
}

fn lake(error: &LakeError) -> Refusal {
    Refusal {
        failure: Failure::new(error.reason(), kycc_telemetry::chain(error)),
        retryable: error.retryable(),
    }
}

pub(super) fn refused(reason: &str, message: impl Into<String>) -> Refusal {
    Refusal {
        failure: Failure::new(reason, message),
        retryable: false,
    }
}
