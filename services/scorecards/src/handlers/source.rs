//! The source `active_scorecard`: the card that steps score, train and refine with.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_proto::work::v1::SourceVersion;
use kycc_runtime::{SourceObserver, TaskError};
use serde_json::{Value, json};

use crate::store::VersionStore;

pub(crate) struct Observer {
    pub(crate) store: Arc<dyn VersionStore>,
}

#[async_trait]
impl SourceObserver for Observer {
    fn source(&self) -> &'static str {
        "active_scorecard"
    }

    async fn observe(
        &self,
        _: &BatchId,
        _: &Value,
        resources: &Value,
    ) -> Result<SourceVersion, TaskError> {
        let asked = resources
            .pointer("/scoring_service/config/scorecard_version")
            .and_then(Value::as_str);
        let found = match asked {
            None | Some("active") => self.store.active().await,
            Some(version) => self.store.get(version).await,
        };
        let found = found.map_err(|error| {
            TaskError::transient(
                "STORE_UNAVAILABLE",
                "the scorecards cannot be read from the state store",
            )
            .with_source(error)
        })?;
        let version = found.ok_or_else(|| {
            TaskError::fatal(
                "SCORECARD_NOT_FOUND",
                format!(
                    "there is no scorecard version {:?}; resources.scoring_service.config.scorecard_version takes one \
                     of `kycc scorecard list`, or active",
                    asked.unwrap_or("active")
                ),
            )
        })?;
        let hash = version.card.hash().to_string();
        let document =
            json!({"version": version.card.version(), "hash": hash, "card": version.card});
        Ok(SourceVersion {
            source: self.source().into(),
            digest: hash,
            document_json: document.to_string(),
        })
    }
}
