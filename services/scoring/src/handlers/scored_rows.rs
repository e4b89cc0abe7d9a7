//! The columns of published scores that comparisons need, and no others: many parties fit in memory that way.

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Float64Type, Int32Type};
use kycc_domain::catalogue::FEATURES;
use kycc_lake::VersionId;
use kycc_rpc::ApiError;
use tonic::Status;

use super::published::{BatchScores, PublishedScores, internal};
use super::rows::feature_columns;
use crate::core::population::Columns;

/// Raw and final score of every party of a batch, by whichever card.
#[derive(Debug)]
pub(super) struct ScoredRows(RecordBatch);

/// The feature vectors of a batch.
#[derive(Debug)]
pub(super) struct FeatureRows(RecordBatch);

impl PublishedScores {
    /// Of `scores` or `shadow_scores`.
    pub(super) async fn scored_rows(&self, version: &VersionId) -> Result<ScoredRows, Status> {
        let columns = ["party_id", "raw", "final_score"];
        let rows = self.lake.read(version, Some(&columns), None).await;
        Ok(ScoredRows(rows.map_err(internal)?))
    }

    pub(super) async fn feature_rows(&self, scores: &BatchScores) -> Result<FeatureRows, Status> {
        let columns: Vec<_> = FEATURES.iter().map(|spec| spec.name).collect();
        let version = scores.features_version();
        let rows = self.lake.read(&version, Some(&columns), None).await;
        Ok(FeatureRows(rows.map_err(internal)?))
    }
}

impl ScoredRows {
    pub(super) fn party_ids(&self) -> &StringArray {
        self.0.column(0).as_string()
    }

    pub(super) fn raw(&self) -> &[f64] {
        self.0.column(1).as_primitive::<Float64Type>().values()
    }

    pub(super) fn final_scores(&self) -> &[i32] {
        self.0.column(2).as_primitive::<Int32Type>().values()
    }
}

impl FeatureRows {
    pub(super) fn columns(&self) -> Result<Columns<'_>, Status> {
        feature_columns(&self.0).map_err(|name| {
            ApiError::precondition(
                "FEATURES_INCOMPLETE",
                format!("feature {name} has no value for some parties; extract the features again"),
            )
            .into()
        })
    }
}
