//! The gRPC service: scores, what-if, what would lift one, drift, and how a candidate card does.

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use kycc_proto::scoring::v1::scoring_service_server::ScoringService;
use kycc_proto::scoring::v1::{
    BackTestRequest, BackTestResponse, BatchGetScoresRequest, BatchGetScoresResponse,
    BatchScoreFeaturesRequest, BatchScoreFeaturesResponse, GetDriftRequest, GetDriftResponse,
    GetScoreRequest, GetScoreResponse, GetShadowReportRequest, GetShadowReportResponse,
    GetStatisticsRequest, GetStatisticsResponse, ListBandTransitionsRequest,
    ListBandTransitionsResponse, ListImprovementsRequest, ListImprovementsResponse,
    ListScoreHistoryRequest, ListScoreHistoryResponse, ListScoresRequest, ListScoresResponse,
    ScoreFeaturesRequest, ScoreFeaturesResponse, StreamScoresRequest, StreamScoresResponse,
    WatchScoresRequest, WatchScoresResponse,
};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::cards::Cards;
use super::published::PublishedScores;
use super::{
    drift, history, improvements, lists, lookups, statistics, stream, transitions, trials, watch,
    what_if,
};

type Answer<T> = Result<Response<T>, Status>;
type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send + 'static>>;

#[derive(Debug)]
pub(crate) struct Scoring {
    pub(super) published: Arc<PublishedScores>,
    pub(super) cards: Cards,
    pub(super) channel: Channel,
}

impl Scoring {
    pub(crate) fn new(published: PublishedScores, cards: Cards, channel: Channel) -> Self {
        Self {
            published: Arc::new(published),
            cards,
            channel,
        }
    }
}

#[tonic::async_trait]
impl ScoringService for Scoring {
    type StreamScoresStream = Streamed<StreamScoresResponse>;
    type WatchScoresStream = Streamed<WatchScoresResponse>;

    async fn score_features(
        &self,
        request: Request<ScoreFeaturesRequest>,
    ) -> Answer<ScoreFeaturesResponse> {
        let found = what_if::one(&self.cards, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn batch_score_features(
        &self,
        request: Request<BatchScoreFeaturesRequest>,
    ) -> Answer<BatchScoreFeaturesResponse> {
        let found = what_if::many(&self.cards, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn get_score(&self, request: Request<GetScoreRequest>) -> Answer<GetScoreResponse> {
        let found = lookups::one(&self.published, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn batch_get_scores(
        &self,
        request: Request<BatchGetScoresRequest>,
    ) -> Answer<BatchGetScoresResponse> {
        let found = lookups::many(&self.published, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn list_scores(&self, request: Request<ListScoresRequest>) -> Answer<ListScoresResponse> {
        let found = lists::page(&self.published, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn stream_scores(
        &self,
        request: Request<StreamScoresRequest>,
    ) -> Answer<Self::StreamScoresStream> {
        let snapshot = stream::begin(&self.published, request.into_inner()).await?;
        Ok(Response::new(Box::pin(snapshot)))
    }

    async fn list_score_history(
        &self,
        request: Request<ListScoreHistoryRequest>,
    ) -> Answer<ListScoreHistoryResponse> {
        let found = history::page(&self.published, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn list_band_transitions(
        &self,
        request: Request<ListBandTransitionsRequest>,
    ) -> Answer<ListBandTransitionsResponse> {
        let found = transitions::page(&self.published, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn watch_scores(
        &self,
        request: Request<WatchScoresRequest>,
    ) -> Answer<Self::WatchScoresStream> {
        let feed = watch::begin(Arc::clone(&self.published), request.into_inner()).await?;
        Ok(Response::new(Box::pin(feed)))
    }

    async fn get_statistics(
        &self,
        request: Request<GetStatisticsRequest>,
    ) -> Answer<GetStatisticsResponse> {
        let found = statistics::statistics(&self.published, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn list_improvements(
        &self,
        request: Request<ListImprovementsRequest>,
    ) -> Answer<ListImprovementsResponse> {
        let found = improvements::improvements(self, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn get_drift(&self, request: Request<GetDriftRequest>) -> Answer<GetDriftResponse> {
        let found = drift::drift(&self.published, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn back_test(&self, request: Request<BackTestRequest>) -> Answer<BackTestResponse> {
        let found = trials::back_test(self, request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn get_shadow_report(
        &self,
        request: Request<GetShadowReportRequest>,
    ) -> Answer<GetShadowReportResponse> {
        let found = trials::shadow_report(self, request.into_inner()).await?;
        Ok(Response::new(found))
    }
}
