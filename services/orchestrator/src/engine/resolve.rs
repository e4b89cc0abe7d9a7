//! Finds out everything about a step that is to run: its inputs, its sources, hence its key, and whether that version
//! is there already.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kycc_domain::ids::{AssetKey, BatchId, DatasetName};
use serde_json::Value;
use tokio::time::Instant;

use super::leader::EngineParts;
use super::live::Live;
use super::memos::Memos;
use super::outside::{Outside, Refusal, refused};
use crate::core::{
    Failure, FailureKind, KeyInputs, Memo, Resolution, RunState, Source, StepStatus, Version,
    backoff, version_key,
};
use crate::definitions::{AssetDef, Definitions};
use crate::store::{RunFacts, RunStore, RunStoreError, VersionOf};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A process that is rolled over, or whose database restarts, answers again within this; its silence is no failure of the
/// step.
const PATIENCE: Duration = Duration::from_secs(60);

/// Owns what it needs: it outlives the turn that started it.
#[derive(Debug)]
pub(super) struct Resolver {
    store: Arc<dyn RunStore>,
    outside: Arc<dyn Outside>,
    memos: Memos,
    facts: Arc<RunFacts>,
    definitions: Arc<Definitions>,
    asset: AssetKey,
    /// Outputs of the run's steps that have succeeded.
    made: Vec<Version>,
}

impl Resolver {
    /// `state`: of the run, as it is or is about to be written.
    pub(super) fn new(
        parts: &EngineParts,
        memos: &Memos,
        run: &Live,
        state: &RunState,
        asset: &AssetKey,
    ) -> Self {
        let succeeded = state
            .steps
            .iter()
            .filter(|s| s.status == StepStatus::Success);
        Self {
            store: Arc::clone(&parts.store),
            outside: Arc::clone(&parts.outside),
            memos: memos.clone(),
            facts: Arc::clone(&run.facts),
            definitions: Arc::clone(&run.definitions),
            asset: asset.clone(),
            made: succeeded.flat_map(|step| step.outputs.clone()).collect(),
        }
    }

    /// Tries again what may pass: at least as often as the step would be, and as long as a service takes to come back.
    pub(super) async fn resolve(self) -> Result<(Resolution, Option<Memo>), Failure> {
        let Some(asset) = self.definitions.asset(self.asset.as_str()) else {
            let message = format!("the definitions of this run have no asset {}", self.asset);
            return Err(Failure::new("ASSET_UNKNOWN", message).of_kind(FailureKind::Definitions));
        };
        let policy = self.definitions.retries(asset);
        let mut attempt = 1;
        let give_up = Instant::now() + PATIENCE;
        loop {
            match self.attempt(asset).await {
                Ok(answer) => return Ok(answer),
                Err(refusal)
                    if refusal.retryable
                        && (attempt < policy.max_attempts || Instant::now() < give_up) =>
                {
                    tracing::warn!(asset = %self.asset, run_id = %self.facts.run_id, message = refusal.failure.message, "cannot resolve a step; trying again");
                    let seed = format!("{}.{}", self.facts.run_id, self.asset);
                    let pause = match attempt < policy.max_attempts {
                        true => backoff(&policy, &seed, attempt - 1),
                        false => LONGEST_PAUSE,
                    };
                    tokio::time::sleep(pause).await;
                    attempt += 1;
                }
                Err(refusal) => return Err(refusal.failure),
            }
        }
    }

    async fn attempt(&self, asset: &AssetDef) -> Result<(Resolution, Option<Memo>), Refusal> {
        let mut inputs = Vec::new();
        for dataset in &asset.inputs {
            inputs.push(self.input(dataset).await?);
        }
        inputs.extend(self.of_all_batches(asset).await?);
        let config = &self.facts.config["ops"][asset.key.as_str()]["config"];
        let resources = self.facts.config["resources"].to_string();
        let mut sources: Vec<Source> = Vec::new();
        for source in &asset.sources {
            let observed = self
                .outside
                .observe(source, &self.facts.batch, &config.to_string(), &resources)
                .await?;
            sources.push(observed);
        }
        let key = version_key(KeyInputs {
            asset: asset.key.as_str(),
            code_version: &asset.code_version,
            config,
            inputs: &inputs,
            sources: &sources,
        });
        let memo = self.memo(&key).await?;
        let shards = self.shards(asset, &inputs);
        let resolution = Resolution {
            key,
            inputs,
            sources,
            shards,
        };
        Ok((resolution, memo))
    }

    /// What this run made, else a file that was given, else what is current for the batch.
    async fn input(&self, dataset: &DatasetName) -> Result<Version, Refusal> {
        let batch = &self.facts.batch;
        let made = self.made.iter().find(|version| &version.dataset == dataset);
        if let Some(version) = made {
            return Ok(version.clone());
        }
        if let Some(uri) = self.facts.inputs.get(dataset.as_str()) {
            return self.outside.import(dataset, batch, uri).await;
        }
        let maker = self.maker(dataset)?;
        let current = self.stored(|| self.store.current(&maker.key, Some(batch)));
        let found = current
            .await?
            .into_iter()
            .flat_map(|made| made.outputs)
            .find(|version| &version.dataset == dataset);
        found.ok_or_else(|| self.missing(dataset, maker, batch))
    }

    /// Every batch that has all of the datasets, this one as the run made it; or those that the config names.
    async fn of_all_batches(&self, asset: &AssetDef) -> Result<Vec<Version>, Refusal> {
        let mut by_dataset: Vec<BTreeMap<BatchId, Version>> = Vec::new();
        for dataset in &asset.all_batches {
            let maker = self.maker(dataset)?;
            let current = self.stored(|| self.store.current(&maker.key, None));
            let mut found: BTreeMap<BatchId, Version> = current
                .await?
                .into_iter()
                .flat_map(|made| made.outputs)
                .filter(|version| &version.dataset == dataset)
                .map(|version| (version.batch.clone(), version))
                .collect();
            let own = self.made.iter().find(|version| &version.dataset == dataset);
            if let Some(own) = own {
                found.insert(own.batch.clone(), own.clone());
            } else if let Some(uri) = self.facts.inputs.get(dataset.as_str()) {
                let batch = &self.facts.batch;
                let imported = self.outside.import(dataset, batch, uri).await?;
                found.insert(batch.clone(), imported);
            }
            by_dataset.push(found);
        }
        let Some(first) = by_dataset.first() else {
            return Ok(Vec::new());
        };
        let wanted = match self.wanted_batches(asset) {
            Some(named) => named,
            None => first
                .keys()
                .filter(|batch| by_dataset.iter().all(|found| found.contains_key(*batch)))
                .cloned()
                .collect(),
        };
        if wanted.is_empty() {
            let maker = self.maker(&asset.all_batches[0])?;
            return Err(self.missing(&asset.all_batches[0], maker, &self.facts.batch));
        }
        let mut versions = Vec::new();
        for (dataset, found) in asset.all_batches.iter().zip(&by_dataset) {
            for batch in &wanted {
                let version = match found.get(batch) {
                    Some(version) => version.clone(),
                    None => return Err(self.missing(dataset, self.maker(dataset)?, batch)),
                };
                versions.push(version);
            }
        }
        Ok(versions)
    }

    /// The asset's own config names batches, or that of the asset that it builds on.
    fn wanted_batches(&self, asset: &AssetDef) -> Option<Vec<BatchId>> {
        let keys = std::iter::once(&asset.key).chain(&asset.deps);
        let named = keys
            .map(|key| &self.facts.config["ops"][key.as_str()]["config"]["batches"])
            .find_map(Value::as_array)?;
        let batches = named.iter().filter_map(Value::as_str);
        let mut batches: Vec<BatchId> = batches.filter_map(|b| b.parse().ok()).collect();
        batches.sort();
        batches.dedup();
        Some(batches)
    }

    /// An earlier materialization counts only while the lake still has all of it.
    async fn memo(&self, key: &str) -> Result<Option<Memo>, Refusal> {
        let wanted = VersionOf {
            asset: self.asset.clone(),
            batch: self.facts.batch.clone(),
            key: key.to_owned(),
        };
        let Some(found) = self.stored(|| self.memos.find(wanted.clone())).await? else {
            return Ok(None);
        };
        for version in &found.outputs {
            if !self.outside.exists(version).await? {
                return Ok(None);
            }
        }
        Ok(Some(Memo {
            outputs: found.outputs,
            metadata: found.metadata,
        }))
    }

    /// The store is asked until it answers: that it is gone for a while is no failure of the step. Whoever leads next asks
    /// anew.
    async fn stored<T, E, F>(&self, ask: impl Fn() -> F) -> Result<T, Refusal>
    where
        E: Borrow<RunStoreError>,
        F: Future<Output = Result<T, E>>,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            match ask().await {
                Ok(found) => return Ok(found),
                Err(error) if error.borrow().is_transient() => {
                    tracing::warn!(asset = %self.asset, run_id = %self.facts.run_id, error = %kycc_telemetry::chain(error.borrow()), "the store does not answer a step that is resolved; asking again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(store(error.borrow())),
            }
        }
    }

    fn shards(&self, asset: &AssetDef, inputs: &[Version]) -> u32 {
        if !asset.sharded {
            return 1;
        }
        let per_party = |version: &&Version| {
            kycc_lake::dataset(version.dataset.as_str()).is_ok_and(|spec| spec.per_party)
        };
        let parties = inputs.iter().filter(per_party).map(|version| version.rows);
        self.definitions.sharding.shards(parties.max().unwrap_or(0))
    }

    fn maker(&self, dataset: &DatasetName) -> Result<&AssetDef, Refusal> {
        let maker = self.definitions.maker(dataset);
        maker.ok_or_else(|| refused("INPUT_MISSING", format!("no asset makes dataset {dataset}")))
    }

    fn missing(&self, dataset: &DatasetName, maker: &AssetDef, batch: &BatchId) -> Refusal {
        let message = format!(
            "{} reads dataset {dataset} of batch {batch}, which is not there; materialize {} for this batch first, or \
             give it with --input {dataset}=FILE",
            self.asset, maker.key
        );
        refused("INPUT_MISSING", message)
    }
}

pub(super) fn store(error: &RunStoreError) -> Refusal {
    Refusal {
        failure: Failure::new("STORE_FAILED", kycc_telemetry::chain(error)),
        retryable: error.is_transient(),
    }
}
