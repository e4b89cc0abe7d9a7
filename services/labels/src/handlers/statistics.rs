//! `GetLabelStatistics`: what the current labels of a batch say of themselves.

use kycc_domain::labels::LabelStatistics;
use kycc_proto::labels::v1::GetLabelStatisticsResponse;
use kycc_rpc::{ApiError, timestamp};
use serde::Deserialize;
use serde_json::Value;
use tonic::Status;

use super::published::PublishedLabels;

/// What a labelling keeps in its manifest.
#[derive(Debug, Deserialize)]
struct Kept {
    policy: Value,
    policy_version: String,
    /// Microseconds since 1970.
    t0: i64,
    #[serde(flatten)]
    statistics: LabelStatistics,
}

pub(super) async fn label_statistics(
    published: &PublishedLabels,
    batch: &str,
) -> Result<GetLabelStatisticsResponse, Status> {
    let version = published.current(batch).await?;
    let metadata = published.metadata(&version).await?;
    let kept: Kept = serde_json::from_value(Value::Object(metadata))
        .map_err(|error| ApiError::internal(&error))?;
    let found = kept.statistics;
    Ok(GetLabelStatisticsResponse {
        batch_id: version.batch.to_string(),
        as_of_time: Some(timestamp(kept.t0)),
        policy_version: kept.policy_version,
        policy_json: kept.policy.to_string(),
        parties: found.parties as u64,
        observed_good: found.observed_good as u64,
        observed_bad: found.observed_bad as u64,
        scorecard_good: found.scorecard_good as u64,
        scorecard_bad: found.scorecard_bad as u64,
        indeterminate: found.indeterminate as u64,
        excluded: found.excluded as u64,
        unlabelled: found.unlabelled as u64,
        covered: found.covered as u64,
        matured: found.matured,
        scorecard_weight: found.scorecard_weight,
    })
}
