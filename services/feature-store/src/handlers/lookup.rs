//! `FeatureService`: feature vectors of parties by batch and by time.

mod across;
#[cfg(test)]
mod tests;

use super::current::{CurrentFeatures, Features, Held};
use super::definitions::definitions;
use super::vectors::vector;
use kycc_proto::features::v1::feature_service_server::FeatureService;
use kycc_proto::features::v1::{
    CompareFeaturesRequest, CompareFeaturesResponse, GetFeaturesRequest, GetFeaturesResponse,
    ListFeatureDefinitionsRequest, ListFeatureDefinitionsResponse, ListFeatureHistoryRequest,
    ListFeatureHistoryResponse, ListFeaturesRequest, ListFeaturesResponse,
};
use kycc_rpc::{ApiError, page_size, page_token, read_page_token};
use tonic::{Request, Response, Status};

const MOST_PARTIES: usize = 1_000;
const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

pub(crate) struct FeatureLookup<C> {
    held: Held<C>,
}

impl<C: CurrentFeatures> FeatureLookup<C> {
    pub(crate) fn new(held: Held<C>) -> Self {
        Self { held }
    }

    async fn features(
        &self,
        request: &GetFeaturesRequest,
    ) -> Result<GetFeaturesResponse, ApiError> {
        let wanted = request.party_ids.len();
        if !(1..=MOST_PARTIES).contains(&wanted) {
            let text = format!("{wanted} party ids, expected 1 to {MOST_PARTIES}");
            return Err(ApiError::invalid("party_ids", text));
        }
        if let Some(instant) = request.as_of_time {
            if !request.batch_id.is_empty() {
                let text = "must not be given beside as_of_time, which looks into all batches";
                return Err(ApiError::invalid("batch_id", text));
            }
            return self.as_of(&request.party_ids, instant).await;
        }
        let features = self.held.of("batch_id", &request.batch_id).await?;
        Ok(found(&features, &request.party_ids))
    }

    async fn page(&self, request: &ListFeaturesRequest) -> Result<ListFeaturesResponse, ApiError> {
        let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
        let after = read_page_token(&request.page_token)?;
        let features = self.held.of("batch_id", &request.batch_id).await?;
        let parties = features.table.rows().num_rows();
        let start = after.map_or(0, |party| features.table.first_after(&party));
        let end = (start + size).min(parties);
        let last = end.checked_sub(1).filter(|_| end < parties);
        Ok(ListFeaturesResponse {
            vectors: (start..end).map(|row| vector(&features, row)).collect(),
            next_page_token: last
                .map(|last| page_token(features.table.party(last)))
                .unwrap_or_default(),
            total_size: parties as u64,
        })
    }
}

/// The vectors of the parties asked for that are there; the others are named.
fn found(features: &Features, party_ids: &[String]) -> GetFeaturesResponse {
    let mut response = GetFeaturesResponse::default();
    for party_id in party_ids {
        match features.table.row_of(party_id) {
            None => response.missing_party_ids.push(party_id.clone()),
            Some(row) => response.vectors.push(vector(features, row)),
        }
    }
    response
}

#[tonic::async_trait]
impl<C: CurrentFeatures> FeatureService for FeatureLookup<C> {
    async fn get_features(
        &self,
        request: Request<GetFeaturesRequest>,
    ) -> Result<Response<GetFeaturesResponse>, Status> {
        Ok(Response::new(self.features(request.get_ref()).await?))
    }

    async fn list_features(
        &self,
        request: Request<ListFeaturesRequest>,
    ) -> Result<Response<ListFeaturesResponse>, Status> {
        Ok(Response::new(self.page(request.get_ref()).await?))
    }

    async fn list_feature_history(
        &self,
        request: Request<ListFeatureHistoryRequest>,
    ) -> Result<Response<ListFeatureHistoryResponse>, Status> {
        Ok(Response::new(self.history(request.get_ref()).await?))
    }

    async fn compare_features(
        &self,
        request: Request<CompareFeaturesRequest>,
    ) -> Result<Response<CompareFeaturesResponse>, Status> {
        Ok(Response::new(self.compare(request.get_ref()).await?))
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
