//! Scores that have been published: which version is a batch's current one, what made it, and its rows in memory.

use std::sync::Arc;

use kycc_domain::card::Scorecard;
use kycc_domain::ids::BatchId;
use kycc_domain::rules::{Rule, RuleSet, default_rules};
use kycc_lake::datasets::{FEATURE_VECTORS, SCORES, SHADOW_SCORES};
use kycc_lake::{DatasetSpec, Lake, Metadata, PartyTable, PartyTables, VersionId};
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{
    GetMaterializationRequest, ListMaterializationsRequest, Materialization,
};
use kycc_rpc::ApiError;
use serde_json::Value;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::score_batch::ASSET;

/// Versions held in memory at once.
const HELD: usize = 4;
/// Materializations asked for at once; each says a good deal of itself.
const PAGE: i32 = 50;

/// Finds and holds published scores.
#[derive(Debug)]
pub(crate) struct PublishedScores {
    pub(super) channel: Channel,
    pub(super) lake: Lake,
    tables: PartyTables,
}

/// The current scores of one batch.
#[derive(Debug)]
pub(crate) struct BatchScores {
    pub(crate) batch: String,
    pub(crate) metadata: Metadata,
    pub(crate) version: VersionId,
    /// What the card in the shadow said, where one was there.
    pub(crate) shadow: Option<VersionId>,
}

impl PublishedScores {
    pub(crate) fn new(channel: Channel, lake: Lake) -> Self {
        Self {
            channel,
            tables: PartyTables::new(lake.clone(), HELD),
            lake,
        }
    }

    /// The current scores of `batch`; of the batch scored last where it is empty.
    pub(crate) async fn current(&self, batch: &str) -> Result<BatchScores, Status> {
        let request = GetMaterializationRequest {
            asset: ASSET.into(),
            batch_id: batch.to_owned(),
        };
        let made = OrchestratorServiceClient::new(self.channel.clone())
            .get_materialization(request)
            .await
            .map_err(|status| not_scored(status, batch))?
            .into_inner()
            .materialization;
        let found = match &made {
            Some(made) => self.scores(made).await?,
            None => None,
        };
        found.ok_or_else(|| not_scored_yet(batch).into())
    }

    /// The current scores of the `wanted` batches that were scored last among those whose materialization `keep` keeps.
    pub(super) async fn newest(
        &self,
        wanted: usize,
        keep: impl Fn(&Materialization) -> bool,
    ) -> Result<Vec<BatchScores>, Status> {
        let mut client = OrchestratorServiceClient::new(self.channel.clone());
        let (mut seen, mut found) = (Vec::new(), Vec::new());
        let mut page_token = String::new();
        loop {
            let request = ListMaterializationsRequest {
                asset: ASSET.into(),
                page_size: PAGE,
                page_token,
                ..ListMaterializationsRequest::default()
            };
            let page = client.list_materializations(request).await?.into_inner();
            for made in page.materializations {
                // The newest of a batch comes first, and is its current one.
                if seen.contains(&made.batch_id) {
                    continue;
                }
                seen.push(made.batch_id.clone());
                if keep(&made) {
                    found.extend(self.scores(&made).await?);
                }
                if found.len() == wanted {
                    return Ok(found);
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(found);
            }
        }
    }

    /// The scores that a step made.
    async fn scores(&self, made: &Materialization) -> Result<Option<BatchScores>, Status> {
        let Some(version) = output(made, &SCORES)? else {
            return Ok(None);
        };
        let manifest = self.lake.existing(&version).await.map_err(internal)?;
        Ok(Some(BatchScores {
            batch: version.batch.to_string(),
            metadata: manifest.metadata,
            version,
            shadow: output(made, &SHADOW_SCORES)?,
        }))
    }

    /// The rows of those scores.
    pub(crate) async fn rows(&self, scores: &BatchScores) -> Result<Arc<PartyTable>, Status> {
        self.tables.get(&scores.version).await.map_err(internal)
    }

    /// The feature vectors that were scored, in the same order.
    pub(crate) async fn features(&self, scores: &BatchScores) -> Result<Arc<PartyTable>, Status> {
        self.tables
            .get(&scores.features_version())
            .await
            .map_err(internal)
    }
}

impl BatchScores {
    pub(super) fn features_version(&self) -> VersionId {
        let key = self
            .metadata
            .get("features_version")
            .and_then(Value::as_str);
        FEATURE_VECTORS.version(self.version.batch.clone(), key.unwrap_or_default())
    }

    /// Microseconds since 1970.
    pub(super) fn as_of(&self) -> Option<i64> {
        self.metadata.get("as_of").and_then(Value::as_i64)
    }

    /// The card that made the scores.
    pub(crate) fn card(&self) -> Result<Scorecard, Status> {
        read_card(&self.metadata)
    }

    /// The decision rules that made the final scores.
    pub(super) fn rules(&self) -> Result<RuleSet, Status> {
        let kept = match self.metadata.get("rules") {
            Some(kept) => serde_json::from_value::<Vec<Rule>>(kept.clone())
                .map_err(|error| ApiError::internal(&error))?,
            None => default_rules(),
        };
        let rules = RuleSet::compile(&kept).map_err(|error| ApiError::internal(&error))?;
        let digest = self.metadata.get("rules_digest").and_then(Value::as_str);
        if digest.is_some_and(|digest| digest != rules.digest().as_str()) {
            let message = format!(
                "batch {} was scored by rules that were not kept with it; score it again",
                self.batch
            );
            return Err(ApiError::precondition("RULES_NOT_KEPT", message).into());
        }
        Ok(rules)
    }
}

/// The card in the metadata of scores.
pub(super) fn read_card(metadata: &Metadata) -> Result<Scorecard, Status> {
    let card = metadata.get("card").cloned().unwrap_or_default();
    Ok(serde_json::from_value(card).map_err(|error| ApiError::internal(&error))?)
}

/// The version of a dataset that a step made, unless it has no rows.
fn output(made: &Materialization, spec: &DatasetSpec) -> Result<Option<VersionId>, Status> {
    let mut outputs = made.outputs.iter();
    let Some(output) = outputs.find(|output| output.dataset == spec.name && output.rows > 0) else {
        return Ok(None);
    };
    let batch = BatchId::new(&output.batch_id).map_err(|error| ApiError::internal(&error))?;
    Ok(Some(spec.version(batch, &output.key)))
}

/// What an operator can mend is told; the rest is internal.
pub(super) fn internal(error: kycc_lake::LakeError) -> Status {
    kycc_runtime::lake_error(&error).into()
}

fn not_scored_yet(batch: &str) -> ApiError {
    ApiError::not_found_yet(
        "scored batch",
        batch,
        "run full_scoring_job or scoring_job for it",
    )
}

fn not_scored(status: Status, batch: &str) -> Status {
    match status.code() {
        Code::NotFound if batch.is_empty() => ApiError::precondition(
            "NOTHING_SCORED",
            "no batch has been scored yet; run full_scoring_job or scoring_job",
        )
        .into(),
        Code::NotFound => not_scored_yet(batch).into(),
        _ => status,
    }
}
