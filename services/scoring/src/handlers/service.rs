//! The gRPC service: scores, what-if, what would lift one, drift, and how a candidate card does.

use kycc_domain::card::Scorecard;
use kycc_lake::Lake;
use kycc_proto::scorecards::v1::GetVersionRequest;
use kycc_proto::scorecards::v1::scorecard_service_client::ScorecardServiceClient;
use kycc_proto::scoring::v1::scoring_service_server::ScoringService;
use kycc_proto::scoring::v1::{
    BackTestRequest, BackTestResponse, BandCount, GetDriftRequest, GetDriftResponse,
    GetScoreRequest, GetScoreResponse, GetShadowReportRequest, GetShadowReportResponse,
    GetStatisticsRequest, GetStatisticsResponse, HistogramBucket, ListImprovementsRequest,
    ListImprovementsResponse, ListScoresRequest, ListScoresResponse, ScoreFeaturesRequest,
    ScoreFeaturesResponse,
};
use kycc_rpc::{ApiError, page_size, page_token, read_page_token};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::answers::{self, band_names};
use super::card_source::ActiveScorecard;
use super::published::PublishedScores;
use super::row::Row;
use super::{drift, given, improvements, in_force, trials};
use crate::core::statistics::Statistics;

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

type Answer<T> = Result<Response<T>, Status>;

#[derive(Debug)]
pub(crate) struct Scoring {
    pub(super) published: PublishedScores,
    pub(super) channel: Channel,
}

impl Scoring {
    pub(crate) fn new(channel: Channel, lake: Lake) -> Self {
        Self {
            published: PublishedScores::new(channel.clone(), lake),
            channel,
        }
    }

    /// A card by its version or hash; the active one where it is empty.
    pub(super) async fn scorecard(&self, version: String) -> Result<ActiveScorecard, Status> {
        let mut client = ScorecardServiceClient::new(self.channel.clone());
        let found = client
            .get_version(GetVersionRequest { version })
            .await?
            .into_inner()
            .version;
        let json = found.map(|version| version.card_json).unwrap_or_default();
        let card: Scorecard =
            serde_json::from_str(&json).map_err(|error| ApiError::internal(&error))?;
        Ok(ActiveScorecard { card })
    }

    async fn score_of(&self, request: GetScoreRequest) -> Result<GetScoreResponse, Status> {
        if request.party_id.is_empty() {
            return Err(ApiError::invalid("party_id", "must name a party").into());
        }
        let scores = self.published.current(&request.batch_id).await?;
        let table = self.published.rows(&scores).await?;
        let at = table.row_of(&request.party_id).ok_or_else(|| {
            ApiError::not_found(
                format!("party of batch {}", scores.batch),
                &request.party_id,
            )
        })?;
        let card = scores.card()?;
        let row = Row {
            rows: table.rows(),
            at,
        };
        let mut score = answers::published(&scores, &card.compile(), row);
        let features = self.published.features(&scores).await?;
        let inputs = features.row_of(&request.party_id).map(|at| Row {
            rows: features.rows(),
            at,
        });
        score.contributions = answers::contributions(&card, row, inputs);
        Ok(GetScoreResponse { score: Some(score) })
    }

    async fn page_of(&self, request: ListScoresRequest) -> Result<ListScoresResponse, Status> {
        let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
        let after = read_page_token(&request.page_token)?;
        let scores = self.published.current(&request.batch_id).await?;
        let card = scores.card()?;
        let bands = card.bands();
        let known = |band: &str| bands.as_slice().iter().any(|known| known.name == band);
        if !request.band.is_empty() && !known(&request.band) {
            let text = format!("is not a band; there are {}", band_names(bands));
            return Err(ApiError::invalid("band", text).into());
        }
        let table = self.published.rows(&scores).await?;
        // The cursor is a party, so that a page goes on where it was even if the batch has been scored again.
        let start = match &after {
            Some(party) => table.first_after(party),
            None => 0,
        };
        let compiled = card.compile();
        let mut found = (start..table.rows().num_rows())
            .map(|at| Row {
                rows: table.rows(),
                at,
            })
            .filter(|row| request.band.is_empty() || row.text("band") == request.band);
        let page: Vec<_> = found
            .by_ref()
            .take(size)
            .map(|row| answers::published(&scores, &compiled, row))
            .collect();
        let more = found.next().is_some();
        let last = page
            .last()
            .filter(|_| more)
            .map(|score| page_token(&score.party_id));
        Ok(ListScoresResponse {
            scores: page,
            next_page_token: last.unwrap_or_default(),
        })
    }
}

#[tonic::async_trait]
impl ScoringService for Scoring {
    async fn score_features(
        &self,
        request: Request<ScoreFeaturesRequest>,
    ) -> Answer<ScoreFeaturesResponse> {
        let request = request.into_inner();
        let features = given::features(&request.features)?;
        let source = self.scorecard(request.scorecard_version).await?;
        let rules = in_force::rules(&self.channel).await?;
        let score = answers::what_if(&source.card, &rules, &features)
            .map_err(|error| ApiError::internal(&error))?;
        Ok(Response::new(ScoreFeaturesResponse { score: Some(score) }))
    }

    async fn get_score(&self, request: Request<GetScoreRequest>) -> Answer<GetScoreResponse> {
        Ok(Response::new(self.score_of(request.into_inner()).await?))
    }

    async fn list_scores(&self, request: Request<ListScoresRequest>) -> Answer<ListScoresResponse> {
        Ok(Response::new(self.page_of(request.into_inner()).await?))
    }

    async fn get_statistics(
        &self,
        request: Request<GetStatisticsRequest>,
    ) -> Answer<GetStatisticsResponse> {
        let scores = self
            .published
            .current(&request.into_inner().batch_id)
            .await?;
        let version = scores.card()?.version().to_owned();
        let metadata = serde_json::Value::Object(scores.metadata);
        let statistics: Statistics =
            serde_json::from_value(metadata).map_err(|error| ApiError::internal(&error))?;
        let bands = statistics.bands.into_iter().map(|band| BandCount {
            band: band.band,
            min_score: band.min_score,
            parties: band.parties,
        });
        let histogram = statistics
            .histogram
            .into_iter()
            .map(|bucket| HistogramBucket {
                lower: bucket.lower,
                upper: bucket.upper,
                parties: bucket.parties,
            });
        Ok(Response::new(GetStatisticsResponse {
            batch_id: scores.batch,
            scorecard_version: version,
            parties_scored: statistics.parties_scored,
            avg_score: statistics.avg_score,
            min_score: statistics.min_score,
            max_score: statistics.max_score,
            bands: bands.collect(),
            histogram: histogram.collect(),
            flagged: statistics.flagged,
        }))
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
