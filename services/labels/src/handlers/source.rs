//! The source `recorded_outcomes`: which recorded outcomes a step may read.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_proto::work::v1::SourceVersion;
use kycc_runtime::{SourceObserver, TaskError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::OutcomeStore;

/// Document of the source. Outcomes are only ever appended, so their newest number names all of them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RecordedOutcomes {
    pub(crate) through_id: i64,
}

pub(crate) const SOURCE: &str = "recorded_outcomes";

pub(crate) struct Observer {
    pub(crate) store: Arc<dyn OutcomeStore>,
}

#[async_trait]
impl SourceObserver for Observer {
    fn source(&self) -> &'static str {
        SOURCE
    }

    async fn observe(&self, _: &BatchId, _: &Value, _: &Value) -> Result<SourceVersion, TaskError> {
        let through_id = self.store.newest().await.map_err(store_failed)?;
        let document = RecordedOutcomes { through_id };
        Ok(SourceVersion {
            source: SOURCE.into(),
            digest: blake3::hash(&through_id.to_le_bytes()).to_hex().to_string(),
            document_json: serde_json::to_string(&document).unwrap_or_default(),
        })
    }
}

pub(crate) fn store_failed(error: kycc_store::StoreError) -> TaskError {
    TaskError::transient(
        "STORE_UNAVAILABLE",
        "the recorded outcomes cannot be read from the state store",
    )
    .with_source(error)
}
