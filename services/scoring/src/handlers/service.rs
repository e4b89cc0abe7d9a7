//! The gRPC service: what-if, one score, a list, statistics.

use kycc_domain::card::Scorecard;
use kycc_domain::catalogue::FeatureVector;
use kycc_lake::Lake;
use kycc_proto::scorecards::v1::GetVersionRequest;
use kycc_proto::scorecards::v1::scorecard_service_client::ScorecardServiceClient;
use kycc_proto::scoring::v1::scoring_service_server::ScoringService;
use kycc_proto::scoring::v1::{
    BandCount, GetScoreRequest, GetScoreResponse, GetStatisticsRequest, GetStatisticsResponse,
    HistogramBucket, ListScoresRequest, ListScoresResponse, ScoreFeaturesRequest,
    ScoreFeaturesResponse,
};
use kycc_rpc::{ApiError, page_size, page_token, read_page_token};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::answers;
use super::card_source::ActiveScorecard;
use super::published::{PublishedScores, Row, card};
use super::score_batch::band_names;
use crate::core::statistics::Statistics;

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

#[derive(Debug)]
pub(crate) struct Scoring {
    published: PublishedScores,
    channel: Channel,
}

impl Scoring {
    pub(crate) fn new(channel: Channel, lake: Lake) -> Self {
        Self {
            published: PublishedScores::new(channel.clone(), lake),
            channel,
        }
    }

    async fn scorecard(&self, version: String) -> Result<ActiveScorecard, Status> {
        let mut client = ScorecardServiceClient::new(self.channel.clone());
        let found = client
            .get_version(GetVersionRequest { version })
            .await?
            .into_inner()
            .version;
        let json = found.map(|version| version.card_json).unwrap_or_default();
        let card: Scorecard =
            serde_json::from_str(&json).map_err(|error| ApiError::internal(&error))?;
        Ok(ActiveScorecard { card, rules: None })
    }
}

#[tonic::async_trait]
impl ScoringService for Scoring {
    async fn score_features(
        &self,
        request: Request<ScoreFeaturesRequest>,
    ) -> Result<Response<ScoreFeaturesResponse>, Status> {
        let request = request.into_inner();
        let mut features = FeatureVector::zero();
        for (name, value) in &request.features {
            let field = format!("features.{name}");
            if !value.is_finite() {
                return Err(ApiError::invalid(field, "must be a finite number").into());
            }
            if !features.set(name, *value) {
                let known = answers::feature_names();
                return Err(ApiError::invalid(
                    field,
                    format!("is not a feature; there are {known}"),
                )
                .into());
            }
        }
        let source = self.scorecard(request.scorecard_version).await?;
        let rules = source
            .rules(None)
            .map_err(|error| ApiError::internal(&error))?;
        let score = answers::what_if(&source.card, &rules, &features)
            .map_err(|error| ApiError::internal(&error))?;
        Ok(Response::new(ScoreFeaturesResponse { score: Some(score) }))
    }

    async fn get_score(
        &self,
        request: Request<GetScoreRequest>,
    ) -> Result<Response<GetScoreResponse>, Status> {
        let request = request.into_inner();
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
        let card = card(&scores)?;
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
        Ok(Response::new(GetScoreResponse { score: Some(score) }))
    }

    async fn list_scores(
        &self,
        request: Request<ListScoresRequest>,
    ) -> Result<Response<ListScoresResponse>, Status> {
        let request = request.into_inner();
        let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
        let after = read_page_token(&request.page_token)?;
        let scores = self.published.current(&request.batch_id).await?;
        let card = card(&scores)?;
        if !request.band.is_empty()
            && !card
                .bands()
                .as_slice()
                .iter()
                .any(|band| band.name == request.band)
        {
            let known = band_names(card.bands());
            return Err(
                ApiError::invalid("band", format!("is not a band; there are {known}")).into(),
            );
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
        Ok(Response::new(ListScoresResponse {
            scores: page,
            next_page_token: last.unwrap_or_default(),
        }))
    }

    async fn get_statistics(
        &self,
        request: Request<GetStatisticsRequest>,
    ) -> Result<Response<GetStatisticsResponse>, Status> {
        let scores = self
            .published
            .current(&request.into_inner().batch_id)
            .await?;
        let version = card(&scores)?.version().to_owned();
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
}
