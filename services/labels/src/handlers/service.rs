//! The gRPC service, one file for what each call does.

use std::sync::Arc;

use kycc_proto::labels::v1::label_service_server::LabelService;
use kycc_proto::labels::v1::{
    GetLabelStatisticsRequest, GetLabelStatisticsResponse, ListLabelsRequest, ListLabelsResponse,
    ListOutcomesRequest, ListOutcomesResponse, RecordOutcomesRequest, RecordOutcomesResponse,
};
use kycc_rpc::principal;
use kycc_runtime::Clock;
use tonic::{Request, Response, Status, Streaming};

use super::published::PublishedLabels;
use super::record::Recorder;
use super::{history, outcomes, statistics};
use crate::store::OutcomeStore;

pub(crate) struct Labels {
    pub(crate) store: Arc<dyn OutcomeStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) published: PublishedLabels,
}

#[tonic::async_trait]
impl LabelService for Labels {
    async fn record_outcomes(
        &self,
        request: Request<Streaming<RecordOutcomesRequest>>,
    ) -> Result<Response<RecordOutcomesResponse>, Status> {
        let recorded_by = principal(&request).to_string();
        let mut recorder = Recorder::new(&*self.store, &recorded_by);
        let mut stream = request.into_inner();
        while let Some(message) = stream.message().await? {
            let now = self.clock.now().timestamp_micros();
            recorder.take(message, now).await?;
        }
        Ok(Response::new(recorder.answer()))
    }

    async fn list_outcomes(
        &self,
        request: Request<ListOutcomesRequest>,
    ) -> Result<Response<ListOutcomesResponse>, Status> {
        let listed = outcomes::list_outcomes(&*self.store, request.into_inner()).await?;
        Ok(Response::new(listed))
    }

    async fn list_labels(
        &self,
        request: Request<ListLabelsRequest>,
    ) -> Result<Response<ListLabelsResponse>, Status> {
        let listed = history::list_labels(&self.published, request.into_inner()).await?;
        Ok(Response::new(listed))
    }

    async fn get_label_statistics(
        &self,
        request: Request<GetLabelStatisticsRequest>,
    ) -> Result<Response<GetLabelStatisticsResponse>, Status> {
        let batch = request.into_inner().batch_id;
        let found = statistics::label_statistics(&self.published, &batch).await?;
        Ok(Response::new(found))
    }
}
