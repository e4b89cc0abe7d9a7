//! RetryRun: a new run for the same job, partition and config.

use std::collections::BTreeMap;

use kycc_domain::ids::AssetKey;
use kycc_proto::orchestrator::v1::{RetryRunRequest, RetryStrategy};
use kycc_rpc::ApiError;
use serde_json::json;

use super::launch::{Wanted, fingerprint};
use super::{Api, failures};
use crate::core::{CarriedStep, RunState, RunStatus, StepStatus};
use crate::store::StoredRun;

/// A run that is to be done again.
pub(super) struct Again {
    pub(super) run_id: String,
    /// Also the steps that succeeded.
    pub(super) all: bool,
    pub(super) principal: String,
    pub(super) request_id: String,
    pub(super) fingerprint: String,
    /// The dead letter that this is for.
    pub(super) replays: Option<String>,
}

impl Api {
    pub(super) async fn retry(
        &self,
        request: RetryRunRequest,
        principal: String,
    ) -> Result<StoredRun, ApiError> {
        let all = request.strategy() == RetryStrategy::AllSteps;
        let asked = json!({"retry": request.run_id, "all": all});
        let again = Again {
            run_id: request.run_id,
            all,
            principal,
            request_id: request.request_id,
            fingerprint: fingerprint(&asked),
            replays: None,
        };
        self.run_again(again).await
    }

    pub(super) async fn run_again(&self, again: Again) -> Result<StoredRun, ApiError> {
        let parent = self.existing(&again.run_id).await?;
        if !parent.state.status.is_terminal() {
            return Err(ApiError::precondition(
                "RUN_NOT_ENDED",
                format!(
                    "run {} has not ended; wait for it, or cancel it",
                    again.run_id
                ),
            ));
        }
        if parent.state.status == RunStatus::Success && !again.all {
            return Err(ApiError::precondition(
                "NOTHING_TO_RETRY",
                format!(
                    "run {} succeeded; retry all of its steps, or launch a run",
                    again.run_id
                ),
            ));
        }
        let facts = &parent.facts;
        let wanted = Wanted {
            job: facts.job.clone(),
            assets: parent.state.steps.iter().map(|s| s.asset.clone()).collect(),
            batch: facts.batch.to_string(),
            config: facts.config.clone(),
            tags: facts.tags.clone(),
            inputs: facts.inputs.clone(),
            priority: facts.priority,
            principal: again.principal,
            request_id: again.request_id,
            fingerprint: again.fingerprint,
            parent: Some(facts.run_id.clone()),
            replays: again.replays,
            carried: match again.all {
                true => BTreeMap::new(),
                false => carried(&parent.state),
            },
        };
        let definitions = self.catalogue.current();
        self.create(&definitions, wanted).await
    }

    pub(super) async fn existing(&self, run_id: &str) -> Result<StoredRun, ApiError> {
        let id = failures::run_id(run_id)?;
        let stored = self.store.run(&id).await.map_err(failures::store)?;
        stored.ok_or_else(|| ApiError::not_found("run", run_id))
    }
}

/// What succeeded and is not to be done again.
fn carried(state: &RunState) -> BTreeMap<AssetKey, CarriedStep> {
    state
        .steps
        .iter()
        .filter(|step| step.status == StepStatus::Success)
        .map(|step| {
            let carried = CarriedStep {
                resolution: step.resolution.clone(),
                outputs: step.outputs.clone(),
                metadata: step.metadata.clone(),
            };
            (step.asset.clone(), carried)
        })
        .collect()
}
