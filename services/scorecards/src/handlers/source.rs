//! The sources of this service: the card that steps score, train and refine with, the one in its shadow, and the decision
//! rules.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_domain::canonical::sha256_hex;
use kycc_domain::ids::BatchId;
use kycc_proto::work::v1::SourceVersion;
use kycc_runtime::{SourceObserver, TaskError};
use kycc_store::StoreError;
use serde_json::{Value, json};

use crate::core::version::Version;
use crate::store::{RuleStore, VersionStore};

pub(crate) const ACTIVE: &str = "active_scorecard";
pub(crate) const SHADOW: &str = "shadow_scorecard";
pub(crate) const RULES: &str = "active_rules";

/// `active_rules`: the set of decision rules in force.
pub(crate) struct ActiveRules {
    pub(crate) store: Arc<dyn RuleStore>,
}

#[async_trait]
impl SourceObserver for ActiveRules {
    fn source(&self) -> &'static str {
        RULES
    }

    async fn observe(&self, _: &BatchId, _: &Value, _: &Value) -> Result<SourceVersion, TaskError> {
        let active = self.store.active_rules().await.map_err(unavailable)?;
        let active = active.ok_or_else(|| {
            TaskError::fatal(
                "RULES_NOT_FOUND",
                "no set of decision rules is active; see RuleService.ListRuleSets",
            )
        })?;
        let rules: Value = serde_json::from_str(&active.rules).map_err(|error| {
            TaskError::fatal("RULES_INVALID", "the active decision rules cannot be read")
                .with_source(error)
        })?;
        let document = json!({"version": active.version, "hash": active.hash, "rules": rules});
        // Of the version too: scores name the set that made them, also where two sets hold the same rules.
        let document_json = document.to_string();
        Ok(SourceVersion {
            source: self.source().into(),
            digest: sha256_hex(&document_json),
            document_json,
        })
    }
}

/// `active_scorecard`; a run's `resources` may name another version.
pub(crate) struct ActiveScorecard {
    pub(crate) store: Arc<dyn VersionStore>,
}

/// `shadow_scorecard`; its document is `null` where no version is in the shadow.
pub(crate) struct ShadowScorecard {
    pub(crate) store: Arc<dyn VersionStore>,
}

#[async_trait]
impl SourceObserver for ActiveScorecard {
    fn source(&self) -> &'static str {
        ACTIVE
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
        let version = found.map_err(unavailable)?.ok_or_else(|| {
            TaskError::fatal(
                "SCORECARD_NOT_FOUND",
                format!(
                    "there is no scorecard version {:?}; resources.scoring_service.config.scorecard_version takes one \
                     of `kycc scorecard list`, or active",
                    asked.unwrap_or("active")
                ),
            )
        })?;
        Ok(observed(self.source(), &version))
    }
}

#[async_trait]
impl SourceObserver for ShadowScorecard {
    fn source(&self) -> &'static str {
        SHADOW
    }

    async fn observe(&self, _: &BatchId, _: &Value, _: &Value) -> Result<SourceVersion, TaskError> {
        let found = self.store.shadow().await.map_err(unavailable)?;
        Ok(match found {
            Some(version) => observed(self.source(), &version),
            None => {
                let nothing = Value::Null.to_string();
                SourceVersion {
                    source: self.source().into(),
                    digest: sha256_hex(&nothing),
                    document_json: nothing,
                }
            }
        })
    }
}

/// The card's hash is its digest: what a card decides does not change with its standing.
fn observed(source: &str, version: &Version) -> SourceVersion {
    let hash = version.card.hash().to_string();
    let document = json!({"version": version.name(), "hash": hash, "card": version.card});
    SourceVersion {
        source: source.into(),
        digest: hash,
        document_json: document.to_string(),
    }
}

fn unavailable(error: StoreError) -> TaskError {
    TaskError::transient(
        "STORE_UNAVAILABLE",
        "the scorecards cannot be read from the state store",
    )
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::life::Wish;
    use crate::fixtures::{named, request, store, version};

    async fn seen(observer: &dyn SourceObserver, resources: Value) -> SourceVersion {
        let batch = BatchId::new("B1").unwrap();
        observer
            .observe(&batch, &Value::Null, &resources)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn the_shadow_is_null_until_a_version_is_put_there() {
        let store = Arc::new(store().await);
        store.enter(&version("1.0-a", 2.0, 2), None).await.unwrap();
        let observer = ShadowScorecard {
            store: Arc::clone(&store) as Arc<dyn VersionStore>,
        };
        let nothing = seen(&observer, Value::Null).await;
        assert_eq!(nothing.document_json, "null");
        let looked_at = store.change(&named("1.0-a"), &request(Wish::Shadow)).await;
        looked_at.unwrap();
        let shadow = seen(&observer, Value::Null).await;
        let document: Value = serde_json::from_str(&shadow.document_json).unwrap();
        assert_eq!(document["version"], "1.0-a");
        assert_ne!(shadow.digest, nothing.digest);
    }

    #[tokio::test]
    async fn a_run_may_name_another_version_than_the_active_one() {
        let store = Arc::new(store().await);
        store.enter(&version("1.0-a", 2.0, 2), None).await.unwrap();
        let observer = ActiveScorecard { store };
        let active = seen(&observer, Value::Null).await;
        let resources = json!({"scoring_service": {"config": {"scorecard_version": "1.0-a"}}});
        let named = seen(&observer, resources).await;
        assert_ne!(named.digest, active.digest);
    }
}
