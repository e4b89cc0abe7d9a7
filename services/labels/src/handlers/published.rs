//! Labels that have been published: the versions of a batch, newest first. A version is never replaced; the newest is the
//! current one.

use std::sync::Arc;

use kycc_domain::ids::BatchId;
use kycc_lake::datasets::LABELS;
use kycc_lake::{Lake, LakeError, Metadata, PartyTable, PartyTables, VersionId};
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{
    GetMaterializationRequest, ListMaterializationsRequest, Materialization,
};
use kycc_rpc::ApiError;
use kycc_runtime::lake_error;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::generate::ASSET;

/// Versions held in memory at once, together.
const HELD_BYTES: usize = 256 << 20;

/// Finds and holds published labels.
#[derive(Debug)]
pub(crate) struct PublishedLabels {
    channel: Channel,
    lake: Lake,
    tables: PartyTables,
}

impl PublishedLabels {
    pub(crate) fn new(channel: Channel, lake: Lake) -> Self {
        Self {
            channel,
            tables: PartyTables::new(lake.clone(), HELD_BYTES),
            lake,
        }
    }

    /// The current labels of `batch`; of the batch labelled last where it is empty.
    pub(super) async fn current(&self, batch: &str) -> Result<VersionId, Status> {
        let request = GetMaterializationRequest {
            asset: ASSET.into(),
            batch_id: batch.to_owned(),
        };
        let made = OrchestratorServiceClient::new(self.channel.clone())
            .get_materialization(request)
            .await
            .map_err(|status| not_labelled(status, batch))?
            .into_inner()
            .materialization;
        match made {
            Some(made) => version(made)?,
            None => None,
        }
        .ok_or_else(|| not_labelled_yet(batch).into())
    }

    /// Every version of the batch's labels, the newest first. One that was current several times is there once.
    pub(super) async fn all(&self, batch: &str) -> Result<Vec<VersionId>, Status> {
        let mut client = OrchestratorServiceClient::new(self.channel.clone());
        let mut found: Vec<VersionId> = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListMaterializationsRequest {
                asset: ASSET.into(),
                batch_id: batch.to_owned(),
                page_size: 0,
                page_token,
            };
            let page = client.list_materializations(request).await?.into_inner();
            for made in page.materializations {
                if let Some(version) = version(made)?
                    && !found.contains(&version)
                {
                    found.push(version);
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        if found.is_empty() {
            return Err(not_labelled_yet(batch).into());
        }
        Ok(found)
    }

    pub(super) async fn metadata(&self, version: &VersionId) -> Result<Metadata, Status> {
        let manifest = self.lake.existing(version).await.map_err(unreadable)?;
        Ok(manifest.metadata)
    }

    pub(super) async fn rows(&self, version: &VersionId) -> Result<Arc<PartyTable>, Status> {
        self.tables.get(version).await.map_err(unreadable)
    }
}

/// The labels among what a step made.
fn version(made: Materialization) -> Result<Option<VersionId>, Status> {
    let mut outputs = made.outputs.into_iter();
    let Some(output) = outputs.find(|output| output.dataset == LABELS.name) else {
        return Ok(None);
    };
    Ok(Some(VersionId {
        dataset: LABELS.dataset_name(),
        batch: BatchId::new(output.batch_id).map_err(|error| ApiError::internal(&error))?,
        key: output.key,
    }))
}

fn not_labelled(status: Status, batch: &str) -> Status {
    match status.code() {
        Code::NotFound if batch.is_empty() => ApiError::precondition(
            "NOTHING_LABELLED",
            "no batch has been labelled yet; run full_scoring_job or ml_training_job",
        )
        .into(),
        Code::NotFound => not_labelled_yet(batch).into(),
        _ => status,
    }
}

fn not_labelled_yet(batch: &str) -> ApiError {
    let advice = "run full_scoring_job or ml_training_job for it";
    ApiError::not_found_yet("labelled batch", batch, advice)
}

fn unreadable(error: LakeError) -> Status {
    lake_error(&error).into()
}
