//! From what went wrong inside to what a caller is told.

use kycc_domain::ids::{AssetKey, BatchId, RunId};
use kycc_rpc::{ApiError, FieldViolation};

use crate::engine::NotCreated;
use crate::run_config::ConfigProblem;
use crate::store::RunStoreError;

pub(super) fn store(error: RunStoreError) -> ApiError {
    told(&error)
}

/// Of a run that was to be written.
pub(super) fn create(error: NotCreated) -> ApiError {
    match error {
        NotCreated::LeaderChanged => ApiError::unavailable(
            "LEADER_CHANGED",
            "the orchestrator stopped to lead before it answered; ask again, with the same request id",
        ),
        NotCreated::Store(error) => told(&error),
    }
}

fn told(error: &RunStoreError) -> ApiError {
    if error.is_transient() {
        tracing::warn!(error = %kycc_telemetry::chain(error), "the state store did not answer a call");
        return ApiError::unavailable("STORE_UNAVAILABLE", "the state store does not answer");
    }
    match error {
        RunStoreError::Store { source, .. } if source.reason() == "STORE_TEXT" => {
            kycc_runtime::store_error(source)
        }
        _ => ApiError::internal(error),
    }
}

/// Each problem under its own path, such as `ops.score_batch.config.cutoff`.
pub(super) fn config(problems: Vec<ConfigProblem>) -> ApiError {
    ApiError::Invalid {
        violations: problems
            .into_iter()
            .map(|problem| FieldViolation {
                field: problem.path,
                description: problem.problem,
            })
            .collect(),
    }
}

pub(super) fn run_id(text: &str) -> Result<RunId, ApiError> {
    text.parse()
        .map_err(|error: kycc_domain::ids::IdError| ApiError::invalid("run_id", error.to_string()))
}

pub(super) fn asset_key(field: &str, text: &str) -> Result<AssetKey, ApiError> {
    text.parse()
        .map_err(|error: kycc_domain::ids::IdError| ApiError::invalid(field, error.to_string()))
}

/// None for the empty text.
pub(super) fn batch_filter(text: &str) -> Result<Option<BatchId>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    BatchId::new(text)
        .map(Some)
        .map_err(|error| ApiError::invalid("batch_id", error.to_string()))
}
