//! `TestRules`: a set of rules on a batch that has been scored, against those that are active.

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::Float64Type;
use kycc_domain::card::{CompiledCard, Scorecard};
use kycc_domain::catalogue::{FEATURE_COUNT, FEATURES};
use kycc_domain::ids::BatchId;
use kycc_domain::rules::{Rule, RuleSet};
use kycc_lake::Lake;
use kycc_lake::datasets::{FEATURE_VECTORS, SCORES};
use kycc_proto::orchestrator::v1::GetMaterializationRequest;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::scorecards::v1::{BandShift, PartyChange, RuleFiring, TestRulesResponse};
use kycc_rpc::ApiError;
use kycc_runtime::lake_error;
use serde_json::Value;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::core::rule_sets::StoredRules;
use crate::core::rule_trial::{Trial, compare};

/// A scored batch, as far as rules are concerned.
pub(super) struct Scored {
    batch: BatchId,
    key: String,
    card: Scorecard,
    features: RecordBatch,
}

pub(super) async fn scored(channel: &Channel, lake: &Lake, batch: &str) -> Result<Scored, Status> {
    let request = kycc_rpc::traced(GetMaterializationRequest {
        asset: "score_batch".into(),
        batch_id: batch.to_owned(),
    });
    let made = OrchestratorServiceClient::new(channel.clone())
        .get_materialization(request)
        .await
        .map_err(|status| not_scored(status, batch))?
        .into_inner()
        .materialization
        .unwrap_or_default();
    let mut outputs = made.outputs.iter();
    let output = outputs
        .find(|output| output.dataset == SCORES.name && output.rows > 0)
        .ok_or_else(|| nothing_scored(batch))?;
    let batch = BatchId::new(&output.batch_id).map_err(|error| ApiError::internal(&error))?;
    let version = SCORES.version(batch.clone(), &output.key);
    let manifest = lake
        .existing(&version)
        .await
        .map_err(|error| lake_error(&error))?;
    let metadata = &manifest.metadata;
    let card = metadata.get("card").cloned().unwrap_or_default();
    let features = metadata.get("features_version").and_then(Value::as_str);
    let features = FEATURE_VECTORS.version(batch.clone(), features.unwrap_or_default());
    let names: Vec<&str> = std::iter::once("party_id")
        .chain(FEATURES.iter().map(|spec| spec.name))
        .collect();
    let features = lake.read(&features, Some(&names), None).await;
    Ok(Scored {
        batch,
        key: output.key.clone(),
        card: serde_json::from_value(card).map_err(|error| ApiError::internal(&error))?,
        features: features.map_err(|error| lake_error(&error))?,
    })
}

fn nothing_scored(batch: &str) -> ApiError {
    if batch.is_empty() {
        return ApiError::precondition(
            "NOTHING_SCORED",
            "no batch has been scored yet; run full_scoring_job or scoring_job",
        );
    }
    ApiError::not_found_yet(
        "scored batch",
        batch,
        "run full_scoring_job or scoring_job for it",
    )
}

fn not_scored(status: Status, batch: &str) -> Status {
    match status.code() {
        Code::NotFound => nothing_scored(batch).into(),
        _ => status,
    }
}

/// Works it out; for a thread that may compute.
pub(super) fn run(
    scored: &Scored,
    active: &StoredRules,
    then: &RuleSet,
    samples: usize,
) -> Result<TestRulesResponse, ApiError> {
    let now: Vec<Rule> =
        serde_json::from_str(&active.rules).map_err(|error| ApiError::internal(&error))?;
    let now = RuleSet::compile(&now).map_err(|error| ApiError::internal(&error))?;
    let card = scored.card.compile();
    let parties = scored.features.column(0).as_string::<i32>();
    let columns: [&arrow::array::Float64Array; FEATURE_COUNT] = std::array::from_fn(|feature| {
        scored
            .features
            .column(feature + 1)
            .as_primitive::<Float64Type>()
    });
    let rows = (0..parties.len()).map(|row| columns.map(|column| column.value(row)));
    let trial = compare(&card, &now, then, rows).map_err(|(row, error)| {
        let text = format!("on party {}: {error}", parties.value(row));
        ApiError::precondition("RULE_FAILED", text)
    })?;
    let sample = trial
        .changed
        .iter()
        .take(samples)
        .map(|changed| PartyChange {
            party_id: parties.value(changed.row).to_owned(),
            raw_score: changed.raw,
            score_now: changed.now.final_score,
            score_then: changed.then.final_score,
            band_now: band(&card, changed.now.band),
            band_then: band(&card, changed.then.band),
            fired_then: then
                .fired(&changed.then)
                .map(|rule| rule.name.clone())
                .collect(),
        });
    Ok(TestRulesResponse {
        batch_id: scored.batch.to_string(),
        scores_version: scored.key.clone(),
        scorecard_version: scored.card.version().to_owned(),
        rules_version_now: active.version.unsigned_abs(),
        parties: trial.parties,
        changed_scores: trial.changed.len() as u64,
        changed_bands: trial.changed_bands,
        mean_change: trial.change as f64 / (trial.parties.max(1)) as f64,
        firings: firings(&now, then, &trial),
        bands: (0..trial.bands_now.len())
            .map(|index| BandShift {
                band: band(&card, index),
                now: trial.bands_now[index],
                then: trial.bands_then[index],
            })
            .collect(),
        samples: sample.collect(),
    })
}

fn band(card: &CompiledCard, index: usize) -> String {
    let band = card.bands().as_slice().get(index);
    band.map(|band| band.name.clone()).unwrap_or_default()
}

/// Rules are the same rule by their name.
fn firings(now: &RuleSet, then: &RuleSet, trial: &Trial) -> Vec<RuleFiring> {
    let mut firings: Vec<RuleFiring> = now
        .rules()
        .iter()
        .zip(&trial.fired_now)
        .map(|(rule, now)| RuleFiring {
            name: rule.name.clone(),
            now: *now,
            then: 0,
        })
        .collect();
    for (rule, fired) in then.rules().iter().zip(&trial.fired_then) {
        match firings.iter_mut().find(|firing| firing.name == rule.name) {
            Some(firing) => firing.then = *fired,
            None => firings.push(RuleFiring {
                name: rule.name.clone(),
                now: 0,
                then: *fired,
            }),
        }
    }
    firings
}
