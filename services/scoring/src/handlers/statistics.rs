//! `GetStatistics`: what was counted when the batch was scored.

use kycc_proto::scoring::v1::{
    BandCount, GetStatisticsRequest, GetStatisticsResponse, HistogramBucket,
};
use kycc_rpc::ApiError;
use serde_json::Value;
use tonic::Status;

use super::published::PublishedScores;
use crate::core::statistics::Statistics;

pub(super) async fn statistics(
    published: &PublishedScores,
    request: GetStatisticsRequest,
) -> Result<GetStatisticsResponse, Status> {
    let scores = published.current(&request.batch_id).await?;
    // The key of a version names what it was made of, and batches may share one.
    let etag = format!("{}/{}", scores.batch, scores.version.key);
    if request.if_none_match == etag {
        return Ok(GetStatisticsResponse {
            batch_id: scores.batch.clone(),
            etag,
            not_modified: true,
            ..GetStatisticsResponse::default()
        });
    }
    let metadata = Value::Object(scores.metadata.clone());
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
    Ok(GetStatisticsResponse {
        batch_id: scores.batch.clone(),
        scorecard_version: scores.card.version().to_owned(),
        parties_scored: statistics.parties_scored,
        avg_score: statistics.avg_score,
        min_score: statistics.min_score,
        max_score: statistics.max_score,
        bands: bands.collect(),
        histogram: histogram.collect(),
        flagged: statistics.flagged,
        etag,
        not_modified: false,
    })
}
