//! LaunchRun: from a request to a run that is written, and is the leader's from then on.

use std::collections::BTreeMap;

use kycc_domain::ids::{AssetKey, RunId};
use kycc_proto::orchestrator::v1::LaunchRunRequest;
use kycc_rpc::{ApiError, check_request_id};
use serde_json::{Value, json};

use super::{Api, deeds, failures, plan};
use crate::core::{CarriedStep, Command, MAX_RUNTIME, canonical_json, launch, max_runtime};
use crate::definitions::Definitions;
use crate::run_config::{ConfigRequest, resolve};
use crate::store::{Created, NewRun, RunFacts, StoredRun};

const TAGS: usize = 64;
const TAG_KEY: usize = 128;
const TAG_VALUE: usize = 1_000;

/// A run that is asked for, by a launch or by a retry.
pub(super) struct Wanted {
    pub(super) job: String,
    pub(super) assets: Vec<AssetKey>,
    pub(super) batch: String,
    pub(super) config: Value,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) inputs: BTreeMap<String, String>,
    pub(super) priority: i32,
    pub(super) principal: String,
    pub(super) request_id: String,
    pub(super) fingerprint: String,
    pub(super) parent: Option<RunId>,
    pub(super) carried: BTreeMap<AssetKey, CarriedStep>,
    /// The dead letter that it does again.
    pub(super) replays: Option<String>,
}

impl Api {
    pub(crate) async fn launch(
        &self,
        request: LaunchRunRequest,
        principal: String,
    ) -> Result<StoredRun, ApiError> {
        let definitions = self.catalogue.current();
        let config = match request.run_config_json.as_str() {
            "" => json!({}),
            text => serde_json::from_str(text).map_err(|error| {
                ApiError::invalid("run_config_json", format!("is not JSON: {error}"))
            })?,
        };
        let inputs: BTreeMap<String, String> = request.inputs.into_iter().collect();
        let tags: BTreeMap<String, String> = request.tags.into_iter().collect();
        let asked = json!({
            "job": request.job, "assets": request.assets, "batch": request.batch_id, "config": config,
            "tags": tags, "inputs": inputs, "priority": request.priority,
        });
        let assets = selection(&definitions, &request.job, &request.assets)?;
        let wanted = Wanted {
            assets: plan::with_inputs(&definitions, assets, &inputs)?,
            job: request.job,
            batch: request.batch_id,
            config,
            tags,
            inputs,
            priority: request.priority,
            principal,
            request_id: request.request_id,
            fingerprint: fingerprint(&asked),
            parent: None,
            carried: BTreeMap::new(),
            replays: None,
        };
        self.create(&definitions, wanted).await
    }

    /// Validates, and has the leader of this process write it and take it up.
    pub(super) async fn create(
        &self,
        definitions: &Definitions,
        wanted: Wanted,
    ) -> Result<StoredRun, ApiError> {
        let job = definitions.job(&wanted.job);
        let selected_by = match wanted.job.as_str() {
            "" => "the selection".to_owned(),
            name => format!("job {name}"),
        };
        let config = resolve(&ConfigRequest {
            definitions,
            selected_by: &selected_by,
            assets: &wanted.assets,
            job_default: job.map(|job| &job.config),
            given: &wanted.config,
            batch: &wanted.batch,
            inputs: &wanted.inputs,
        })
        .map_err(failures::config)?;
        let run_id = RunId::new(self.clock.new_id().to_string())
            .map_err(|error| ApiError::internal(&error))?;
        let steps = plan::steps(definitions, &wanted.assets, wanted.carried);
        let (state, commands) = launch(run_id.clone(), steps);
        let mut tags = job.map(|job| job.tags.clone()).unwrap_or_default();
        tags.extend(wanted.tags);
        bounded(&wanted.request_id, &tags)?;
        max_runtime(&tags)
            .map_err(|problem| ApiError::invalid(format!("tags.{MAX_RUNTIME}"), problem))?;
        let facts = RunFacts {
            run_id: run_id.clone(),
            job: wanted.job,
            batch: config.batch,
            config: config.document,
            tags,
            inputs: wanted.inputs,
            principal: wanted.principal,
            definitions_hash: definitions.hash(),
            parent: wanted.parent,
            traceparent: kycc_telemetry::current_traceparent(),
            priority: wanted.priority,
            created_at: self.clock.now_micros(),
        };
        let assets: Vec<&str> = wanted.assets.iter().map(AssetKey::as_str).collect();
        let replays = wanted.replays.as_deref();
        let audit = deeds::of_new_run(&facts, replays, json!(assets), &wanted.request_id);
        let new = NewRun {
            facts,
            audit,
            state,
            log: commands
                .into_iter()
                .filter_map(|command| match command {
                    Command::Emit(entry) => Some(entry),
                    _ => None,
                })
                .collect(),
            request_id: wanted.request_id,
            fingerprint: wanted.fingerprint,
            definitions: definitions.document(),
            replays: wanted.replays,
        };
        let run_id = self.write(new).await?;
        let stored = self.store.run(&run_id).await.map_err(failures::store)?;
        stored.ok_or_else(|| ApiError::not_found("run", run_id.as_str()))
    }

    /// A caller that leaves does not stop it.
    async fn write(&self, new: NewRun) -> Result<RunId, ApiError> {
        let run_id = new.facts.run_id.clone();
        match self.engine.create(new).await.map_err(failures::create)? {
            Created::New => Ok(run_id),
            Created::Before(earlier) => Ok(earlier),
            Created::Replayed(run_id) => Err(ApiError::precondition(
                "ALREADY_REPLAYED",
                format!("run {run_id} replays this dead letter; retry that run if it failed"),
            )),
            Created::Conflict(run_id) => Err(ApiError::precondition(
                "REQUEST_ID_REUSED",
                format!(
                    "this request id launched run {run_id} from another request; use a fresh one"
                ),
            )),
        }
    }
}

/// What is kept with every run must not grow with a caller's mood.
fn bounded(request_id: &str, tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    check_request_id(request_id)?;
    let wrong = |text: &str, most: usize| text.chars().count() > most || text.contains('\0');
    if tags.len() > TAGS {
        return Err(ApiError::invalid("tags", format!("are more than {TAGS}")));
    }
    for (key, value) in tags {
        if key.is_empty() || wrong(key, TAG_KEY) || wrong(value, TAG_VALUE) {
            let short: String = key.chars().take(TAG_KEY).collect();
            let problem = format!(
                "wants a key of 1 to {TAG_KEY} characters and a value of at most {TAG_VALUE}, without NUL"
            );
            return Err(ApiError::invalid(format!("tags.{short}"), problem));
        }
    }
    Ok(())
}

fn selection(
    definitions: &Definitions,
    job: &str,
    assets: &[String],
) -> Result<Vec<AssetKey>, ApiError> {
    match (job, assets) {
        ("", []) => Err(ApiError::invalid("job", "name a job, or assets")),
        ("", assets) => assets
            .iter()
            .map(|name| match definitions.asset(name) {
                Some(asset) => Ok(asset.key.clone()),
                None => Err(ApiError::not_found("asset", name)),
            })
            .collect(),
        (job, []) => match definitions.job(job) {
            Some(job) => Ok(job.assets.clone()),
            None => Err(ApiError::not_found("job", job)),
        },
        _ => Err(ApiError::invalid(
            "assets",
            "name a job or assets, not both",
        )),
    }
}

pub(super) fn fingerprint(asked: &Value) -> String {
    blake3::hash(canonical_json(asked).as_bytes()).to_hex()[..32].to_owned()
}
