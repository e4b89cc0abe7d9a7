//! Which versions of features are current, when they are of, and their rows in memory.

use super::vectors;
use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_lake::datasets::FEATURE_VECTORS;
use kycc_lake::{Lake, PartyTable, PartyTables, VersionId};
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{ListMaterializationsRequest, Materialization};
use kycc_rpc::{ApiError, ClientError};
use kycc_runtime::{CurrentVersions, lake_error};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tonic::transport::Channel;
use tonic::{Code, Status};

pub(crate) const ASSET: &str = "extract_features";

/// Who knows which version of a batch's features is current.
#[async_trait]
pub(crate) trait CurrentFeatures: Send + Sync + 'static {
    /// `None` while the batch has no features; of the batch extracted last, where none is named.
    async fn current(&self, batch: Option<&BatchId>) -> Result<Option<VersionId>, ApiError>;

    /// Of every batch that has features.
    async fn every(&self) -> Result<Vec<VersionId>, ApiError>;
}

/// As the orchestrator tells.
pub(crate) struct Told {
    pub(crate) feed: CurrentVersions,
    pub(crate) channel: Channel,
}

#[async_trait]
impl CurrentFeatures for Told {
    async fn current(&self, batch: Option<&BatchId>) -> Result<Option<VersionId>, ApiError> {
        match self.feed.of(batch.map_or("", BatchId::as_str)).await {
            Ok(found) => output(&found.made),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(silent(status)),
        }
    }

    async fn every(&self) -> Result<Vec<VersionId>, ApiError> {
        let mut found = Vec::new();
        if let Some(all) = self.feed.all() {
            for one in &all {
                found.extend(output(&one.made)?);
            }
            return Ok(found);
        }
        let mut client = OrchestratorServiceClient::new(self.channel.clone());
        let (mut seen, mut page_token) = (HashSet::new(), String::new());
        loop {
            let request = ListMaterializationsRequest {
                asset: ASSET.to_owned(),
                page_token,
                ..ListMaterializationsRequest::default()
            };
            let page = client
                .list_materializations(request)
                .await
                .map_err(silent)?;
            let page = page.into_inner();
            for made in &page.materializations {
                // The newest of a batch comes first, and is its current one.
                if seen.insert(made.batch_id.clone()) {
                    found.extend(output(made)?);
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(found);
            }
        }
    }
}

fn silent(status: Status) -> ApiError {
    ApiError::unavailable(
        "ORCHESTRATOR_UNAVAILABLE",
        format!(
            "the orchestrator does not say which features are current: {}; try again",
            ClientError::from(status)
        ),
    )
}

fn output(made: &Materialization) -> Result<Option<VersionId>, ApiError> {
    let mut outputs = made.outputs.iter();
    let found = outputs.find(|output| output.dataset == FEATURE_VECTORS.name);
    let version = found.map(|output| {
        let batch = BatchId::new(&output.batch_id).map_err(|error| ApiError::internal(&error))?;
        Ok(FEATURE_VECTORS.version(batch, output.key.as_str()))
    });
    version.transpose()
}

/// The features of one version.
pub(super) struct Features {
    pub(super) version: VersionId,
    pub(super) table: Arc<PartyTable>,
    /// Microseconds; `None` where the extractors did not say.
    pub(super) as_of: Option<i64>,
}

/// A version and when it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) as_of: i64,
    pub(super) version: VersionId,
}

/// Finds and holds them.
pub(crate) struct Held<C> {
    lake: Lake,
    tables: PartyTables,
    current: C,
    /// Of every version that was ever looked at.
    as_of: Mutex<HashMap<VersionId, Option<i64>>>,
}

impl<C: CurrentFeatures> Held<C> {
    pub(crate) fn new(lake: Lake, tables: PartyTables, current: C) -> Self {
        Self {
            lake,
            tables,
            current,
            as_of: Mutex::default(),
        }
    }

    /// The current features of a batch; of the one extracted last, where it is empty.
    pub(super) async fn of(&self, field: &str, batch: &str) -> Result<Features, ApiError> {
        let batch = match batch {
            "" => None,
            batch => Some(
                BatchId::new(batch).map_err(|error| ApiError::invalid(field, error.to_string()))?,
            ),
        };
        let version = self.current.current(batch.as_ref()).await?;
        let version = version.ok_or_else(|| {
            let of = batch.map_or_else(
                || "no batch has features yet".to_owned(),
                |batch| format!("batch {batch} has no features yet"),
            );
            let message = format!("{of}; run feature_job or full_scoring_job for it");
            ApiError::precondition("NO_FEATURES", message)
        })?;
        self.read(version).await
    }

    pub(super) async fn read(&self, version: VersionId) -> Result<Features, ApiError> {
        let as_of = self.as_of(&version).await?;
        let table = self.tables.get(&version).await;
        Ok(Features {
            table: table.map_err(|error| lake_error(&error))?,
            version,
            as_of,
        })
    }

    async fn as_of(&self, version: &VersionId) -> Result<Option<i64>, ApiError> {
        let known = || self.as_of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(as_of) = known().get(version) {
            return Ok(*as_of);
        }
        let manifest = self.lake.existing(version).await;
        let as_of = vectors::as_of(&manifest.map_err(|error| lake_error(&error))?);
        known().insert(version.clone(), as_of);
        Ok(as_of)
    }

    /// The current versions of all batches that say when they are of, the newest first, of one as-of by batch id.
    pub(super) async fn in_time(&self) -> Result<Vec<Placed>, ApiError> {
        let mut placed = Vec::new();
        for version in self.current.every().await? {
            if let Some(as_of) = self.as_of(&version).await? {
                placed.push(Placed { as_of, version });
            }
        }
        placed.sort_by(|a, b| (Reverse(a.as_of), &a.version).cmp(&(Reverse(b.as_of), &b.version)));
        Ok(placed)
    }
}
