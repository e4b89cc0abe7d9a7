//! Scores that have been published: which version is a batch's current one, what made it, and its rows in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use kycc_domain::card::{CompiledCard, Scorecard};
use kycc_domain::catalogue::FEATURES;
use kycc_domain::ids::BatchId;
use kycc_domain::rules::{Rule, RuleSet, default_rules};
use kycc_lake::datasets::{FEATURE_VECTORS, SCORES, SHADOW_SCORES};
use kycc_lake::{DatasetSpec, Lake, Metadata, PartyTable, PartyTables, Recent, VersionId};
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{ListMaterializationsRequest, Materialization};
use kycc_rpc::ApiError;
use kycc_runtime::CurrentVersions;
use serde_json::Value;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::light_rows::LightRows;
use super::score_batch::ASSET;

/// Materializations asked for at once; each says a good deal of itself.
const PAGE: i32 = 50;
/// Versions whose cards and metadata are held, some tens of kilobytes each.
const KNOWN: usize = 256;
/// Share of the memory budget for the few columns that comparisons of batches need.
const LIGHT_SHARE: usize = 4;

/// Finds and holds published scores.
#[derive(Debug)]
pub(crate) struct PublishedScores {
    pub(super) channel: Channel,
    pub(super) lake: Lake,
    /// What is current, as the orchestrator's feed tells.
    pub(super) feed: CurrentVersions,
    known: Recent<VersionId, BatchScores>,
    tables: PartyTables,
    pub(super) light: Recent<VersionId, LightRows>,
    /// Of every version that was ever looked at, in microseconds.
    as_of: Mutex<HashMap<VersionId, i64>>,
}

/// The scores of one version of a batch, ready to answer from.
#[derive(Debug)]
pub(crate) struct BatchScores {
    pub(crate) batch: String,
    pub(crate) metadata: Metadata,
    pub(crate) version: VersionId,
    /// What the card in the shadow said, where one was there.
    pub(crate) shadow: Option<VersionId>,
    /// The card that made the scores.
    pub(crate) card: Scorecard,
    pub(crate) compiled: CompiledCard,
    /// For each factor of the card, the position of its feature in the catalogue.
    pub(super) factors: Vec<usize>,
}

impl PublishedScores {
    /// Holds rows of `most_bytes` together.
    pub(crate) fn new(
        lake: Lake,
        feed: CurrentVersions,
        channel: Channel,
        most_bytes: usize,
    ) -> Self {
        Self {
            channel,
            feed,
            known: Recent::new(KNOWN, 1),
            tables: PartyTables::new(lake.clone(), most_bytes),
            light: Recent::new(most_bytes / LIGHT_SHARE, 2),
            as_of: Mutex::default(),
            lake,
        }
    }

    /// The current scores of `batch`; of the batch scored last where it is empty.
    pub(crate) async fn current(&self, batch: &str) -> Result<Arc<BatchScores>, Status> {
        let current = self.feed.of(batch).await;
        let current = current.map_err(|status| not_scored(status, batch))?;
        let found = self.scores(&current.made).await?;
        found.ok_or_else(|| not_scored_yet(batch).into())
    }

    /// What the current scores of every batch are made of; those that have no rows are left out.
    pub(super) async fn every_current(&self) -> Result<Vec<Materialization>, Status> {
        if let Some(all) = self.feed.all() {
            return Ok(all.iter().map(|one| one.made.clone()).collect());
        }
        let mut all = Vec::new();
        self.each_current(|made| {
            all.push(made);
            true
        })
        .await?;
        Ok(all)
    }

    /// Asks for the current materialization of every batch, the last made first, while `go_on` says so.
    async fn each_current(
        &self,
        mut go_on: impl FnMut(Materialization) -> bool,
    ) -> Result<(), Status> {
        let mut client = OrchestratorServiceClient::new(self.channel.clone());
        let mut seen = HashSet::new();
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
                if seen.insert(made.batch_id.clone()) && !go_on(made) {
                    return Ok(());
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(());
            }
        }
    }

    /// The current scores of the `wanted` batches that were scored last among those whose materialization `keep` keeps.
    pub(super) async fn newest(
        &self,
        wanted: usize,
        keep: impl Fn(&Materialization) -> bool,
    ) -> Result<Vec<Arc<BatchScores>>, Status> {
        let mut found = Vec::new();
        self.each_current(|made| {
            if keep(&made) {
                found.push(made);
            }
            found.len() < wanted
        })
        .await?;
        let mut scores = Vec::with_capacity(found.len());
        for made in &found {
            scores.extend(self.scores(made).await?);
        }
        Ok(scores)
    }

    /// The scores that a step made; `None` where it made no rows.
    pub(super) async fn scores(
        &self,
        made: &Materialization,
    ) -> Result<Option<Arc<BatchScores>>, Status> {
        let Some(version) = output(made, &SCORES)? else {
            return Ok(None);
        };
        let shadow = output(made, &SHADOW_SCORES)?;
        let load = || self.load(&version, shadow);
        self.known.get(&version, |_| 1, load).await.map(Some)
    }

    /// The scores of a version that need not be current; nothing is known of its shadow.
    pub(super) async fn of_version(&self, version: &VersionId) -> Result<Arc<BatchScores>, Status> {
        match self.known.peek(version) {
            Some(known) => Ok(known),
            None => Ok(Arc::new(self.load(version, None).await?)),
        }
    }

    async fn load(
        &self,
        version: &VersionId,
        shadow: Option<VersionId>,
    ) -> Result<BatchScores, Status> {
        let manifest = self.lake.existing(version).await.map_err(internal)?;
        let card = read_card(&manifest.metadata)?;
        let position = |feature: &str| FEATURES.iter().position(|spec| spec.name == feature);
        let factors = card.factors().iter();
        Ok(BatchScores {
            batch: version.batch.to_string(),
            version: version.clone(),
            shadow,
            compiled: card.compile(),
            factors: factors
                .filter_map(|factor| position(&factor.feature))
                .collect(),
            metadata: manifest.metadata,
            card,
        })
    }

    /// As-of of the scores that a step made, in microseconds; `None` where it made no rows, or the lake has lost them.
    pub(super) async fn as_of(&self, made: &Materialization) -> Result<Option<i64>, Status> {
        let Some(version) = output(made, &SCORES)? else {
            return Ok(None);
        };
        let known = || self.as_of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(as_of) = known().get(&version) {
            return Ok(Some(*as_of));
        }
        let manifest = self.lake.manifest(&version).await.map_err(internal)?;
        let Some(manifest) = manifest else {
            return Ok(None);
        };
        let as_of = manifest.metadata.get("as_of").and_then(Value::as_i64);
        let as_of = as_of.unwrap_or_default();
        known().insert(version, as_of);
        Ok(Some(as_of))
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
pub(super) fn output(
    made: &Materialization,
    spec: &DatasetSpec,
) -> Result<Option<VersionId>, Status> {
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
