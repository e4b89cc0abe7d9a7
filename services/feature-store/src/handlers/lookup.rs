//! `FeatureService`: feature vectors of parties by id, from the version that is current for their batch.

#[cfg(test)]
mod tests;

use super::definitions::definitions;
use super::vectors::{answer, as_of_time};
use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_lake::datasets::FEATURE_VECTORS;
use kycc_lake::{Lake, PartyTables, VersionId};
use kycc_proto::features::v1::feature_service_server::FeatureService;
use kycc_proto::features::v1::{
    GetFeaturesRequest, GetFeaturesResponse, ListFeatureDefinitionsRequest,
    ListFeatureDefinitionsResponse,
};
use kycc_proto::orchestrator::v1::GetMaterializationRequest;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::work::v1::DatasetVersion;
use kycc_rpc::{ApiError, ClientError};
use kycc_runtime::lake_error;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

const MOST_PARTIES: usize = 1_000;

/// Who knows which version of a batch's features is current.
#[async_trait]
pub(crate) trait CurrentFeatures: Send + Sync + 'static {
    /// `None` while the batch has no features.
    async fn current(&self, batch: &BatchId) -> Result<Option<VersionId>, ApiError>;
}

#[async_trait]
impl CurrentFeatures for OrchestratorServiceClient<Channel> {
    async fn current(&self, batch: &BatchId) -> Result<Option<VersionId>, ApiError> {
        let request = GetMaterializationRequest {
            asset: "extract_features".to_owned(),
            batch_id: batch.to_string(),
        };
        let response = match self.clone().get_materialization(request).await {
            Ok(response) => response.into_inner(),
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => {
                return Err(ApiError::unavailable(
                    "ORCHESTRATOR_UNAVAILABLE",
                    format!(
                        "the orchestrator does not say which features of batch {batch} are current: {}; try again",
                        ClientError::from(status)
                    ),
                ));
            }
        };
        let mut outputs = response
            .materialization
            .into_iter()
            .flat_map(|made| made.outputs);
        let features = |output: &DatasetVersion| output.dataset == FEATURE_VECTORS.name;
        Ok(outputs
            .find(features)
            .map(|output| FEATURE_VECTORS.version(batch.clone(), output.key)))
    }
}

pub(crate) struct FeatureLookup<C> {
    lake: Lake,
    tables: PartyTables,
    current: C,
}

impl<C: CurrentFeatures> FeatureLookup<C> {
    pub(crate) fn new(lake: Lake, tables: PartyTables, current: C) -> Self {
        Self {
            lake,
            tables,
            current,
        }
    }

    async fn features(
        &self,
        request: &GetFeaturesRequest,
    ) -> Result<GetFeaturesResponse, ApiError> {
        let batch = BatchId::new(request.batch_id.as_str())
            .map_err(|error| ApiError::invalid("batch_id", error.to_string()))?;
        if !(1..=MOST_PARTIES).contains(&request.party_ids.len()) {
            return Err(ApiError::invalid(
                "party_ids",
                format!(
                    "{} party ids, expected 1 to {MOST_PARTIES}",
                    request.party_ids.len()
                ),
            ));
        }
        let version = self.current.current(&batch).await?.ok_or_else(|| {
            ApiError::precondition(
                "NO_FEATURES",
                format!(
                    "batch {batch} has no features yet; run feature_job or full_scoring_job for it"
                ),
            )
        })?;
        let manifest = self
            .lake
            .existing(&version)
            .await
            .map_err(|error| lake_error(&error))?;
        let table = self
            .tables
            .get(&version)
            .await
            .map_err(|error| lake_error(&error))?;
        Ok(answer(request, &table, as_of_time(&manifest)))
    }
}

#[async_trait]
impl<C: CurrentFeatures> FeatureService for FeatureLookup<C> {
    async fn get_features(
        &self,
        request: Request<GetFeaturesRequest>,
    ) -> Result<Response<GetFeaturesResponse>, Status> {
        Ok(Response::new(self.features(request.get_ref()).await?))
    }

    async fn list_feature_definitions(
        &self,
        _: Request<ListFeatureDefinitionsRequest>,
    ) -> Result<Response<ListFeatureDefinitionsResponse>, Status> {
        Ok(Response::new(ListFeatureDefinitionsResponse {
            features: definitions(),
        }))
    }
}
