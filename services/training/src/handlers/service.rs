//! The gRPC service: one model and what it is made of, or all of them newest first.

use std::sync::Arc;

use kycc_proto::models::v1::model_service_server::ModelService;
use kycc_proto::models::v1::{
    CompareModelsRequest, CompareModelsResponse, GetCurvesRequest, GetCurvesResponse,
    GetFactorBinsRequest, GetFactorBinsResponse, GetModelRequest, GetModelResponse,
    ListModelsRequest, ListModelsResponse,
};
use kycc_rpc::{ApiError, page_size, position_token, read_position_token};
use kycc_runtime::store_error;
use tonic::{Request, Response, Status};

use super::{answers, compare};
use crate::store::{ModelStore, Registered};

const DEFAULT_PAGE: usize = 20;
const MAX_PAGE: usize = 200;

pub(crate) struct Models {
    pub(crate) store: Arc<dyn ModelStore>,
}

impl Models {
    /// The model of that id; the newest where it is empty.
    async fn find(&self, model_id: &str) -> Result<Registered, ApiError> {
        let found = if model_id.is_empty() {
            let newest = self.store.list(None, 1).await;
            newest.map(|mut models| models.pop())
        } else {
            self.store.get(model_id).await
        };
        found.map_err(|error| store_error(&error))?.ok_or_else(|| {
            if model_id.is_empty() {
                ApiError::precondition(
                    "NOTHING_TRAINED",
                    "no model has been trained yet; run full_scoring_job or ml_training_job",
                )
            } else {
                ApiError::not_found("model", model_id)
            }
        })
    }
}

#[tonic::async_trait]
impl ModelService for Models {
    async fn get_model(
        &self,
        request: Request<GetModelRequest>,
    ) -> Result<Response<GetModelResponse>, Status> {
        let entry = self.find(&request.into_inner().model_id).await?;
        Ok(Response::new(GetModelResponse {
            model: Some(answers::model(entry)?),
        }))
    }

    async fn compare_models(
        &self,
        request: Request<CompareModelsRequest>,
    ) -> Result<Response<CompareModelsResponse>, Status> {
        let ids = compare::ids(request.into_inner())?;
        let mut entries = Vec::with_capacity(ids.len());
        for id in &ids {
            entries.push(self.find(id).await?);
        }
        Ok(Response::new(compare::answer(entries)?))
    }

    async fn get_curves(
        &self,
        request: Request<GetCurvesRequest>,
    ) -> Result<Response<GetCurvesResponse>, Status> {
        let entry = self.find(&request.into_inner().model_id).await?;
        let document = answers::document(&entry)?;
        Ok(Response::new(answers::curves(&document)?))
    }

    async fn get_factor_bins(
        &self,
        request: Request<GetFactorBinsRequest>,
    ) -> Result<Response<GetFactorBinsResponse>, Status> {
        let request = request.into_inner();
        let entry = self.find(&request.model_id).await?;
        let document = answers::document(&entry)?;
        let answer = answers::factor_bins(&document, &request.feature)?;
        Ok(Response::new(answer))
    }

    async fn list_models(
        &self,
        request: Request<ListModelsRequest>,
    ) -> Result<Response<ListModelsResponse>, Status> {
        let request = request.into_inner();
        let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
        let after = read_position_token(&request.page_token)?;
        let limit = u32::try_from(size + 1).unwrap_or(u32::MAX);
        let mut found = self
            .store
            .list(after, limit)
            .await
            .map_err(|error| store_error(&error))?;
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more);
        let next = last.map(|last| position_token(last.created_at_micros, &last.model_id));
        let models = found
            .into_iter()
            .map(answers::model)
            .collect::<Result<_, _>>()?;
        Ok(Response::new(ListModelsResponse {
            models,
            next_page_token: next.unwrap_or_default(),
        }))
    }
}
