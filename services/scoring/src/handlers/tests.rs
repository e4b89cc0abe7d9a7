//! The task on hand-made batches: what the shadow may and may not do, and when a batch has drifted.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow::datatypes::{Float64Type, Int32Type};
use chrono::{DateTime, Utc};
use kycc_domain::card::{Factor, Provenance, Scorecard, ScoringContent};
use kycc_domain::catalogue::{FEATURES, FeatureVector};
use kycc_domain::drift::PopulationBaseline;
use kycc_domain::expert::expert_card;
use kycc_domain::rules::{RuleSet, default_rules};
use kycc_domain::scaling::Method;
use kycc_lake::Manifest;
use kycc_lake::datasets::FEATURE_VECTORS;
use kycc_runtime::TaskError;
use kycc_testkit::TestBatch;
use serde_json::{Value, json};

use super::rows::feature_columns;
use super::score_batch::ScoreBatch;
use crate::core::population::{countable, decide_all};

fn as_of() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// Spread over each feature's range by a fixed sequence; `shift` moves what has no upper bound.
fn features(parties: usize, shift: f64) -> RecordBatch {
    let ids = (0..parties).map(|at| format!("P{at:06}"));
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(0..parties as u32)),
        Arc::new(StringArray::from_iter_values(ids)),
    ];
    for (index, spec) in FEATURES.iter().enumerate() {
        let value = |at: usize| {
            // The golden ratio's multiples fill the unit interval evenly, each feature in an order of its own.
            let unit = ((at + 1) as f64 * 0.618_033_988_75 * (index + 1) as f64).fract();
            match spec.max {
                Some(max) if max <= 1.0 => f64::from(unit > 0.3),
                Some(max) => unit * max,
                None => unit * 20.0 + shift,
            }
        };
        columns.push(Arc::new(Float64Array::from_iter_values(
            (0..parties).map(value),
        )));
    }
    columns.push(Arc::new(Int64Array::from(vec![3; parties])));
    RecordBatch::try_new(FEATURE_VECTORS.schema(), columns).unwrap()
}

fn two_factors(version: &str, tax_id: f64) -> Scorecard {
    let factor = |feature: &str, weight: f64| Factor {
        feature: feature.to_owned(),
        weight,
        method: Method::Flag,
    };
    let factors = vec![factor("kyc_verified", 1.0), factor("has_tax_id", tax_id)];
    let content = ScoringContent::of(factors);
    Scorecard::new(version, content, Provenance::default()).unwrap()
}

/// The card as it would be frozen if it had been trained on those parties.
fn trained_on(card: &Scorecard, rows: &RecordBatch) -> Scorecard {
    let columns = feature_columns(rows).unwrap();
    let rules = RuleSet::compile(&default_rules()).unwrap();
    let decided = decide_all(&card.compile(), &rules, &columns, || false).unwrap();
    let bands = decided.bands();
    let population = countable(&columns, &decided.raw, &bands, card.bands());
    let baseline = PopulationBaseline::of(&population).unwrap();
    baseline.freeze(card).unwrap()
}

fn document(card: &Scorecard) -> Value {
    json!({"version": card.version(), "hash": card.hash(), "card": card})
}

struct Bench(TestBatch);

impl Bench {
    async fn new(rows: &RecordBatch, card: &Scorecard, shadow: Value) -> Self {
        let mut batch = TestBatch::new("B", as_of()).await;
        batch.publish(&FEATURE_VECTORS, rows).await;
        batch.source("active_scorecard", &document(card));
        batch.source("shadow_scorecard", &shadow);
        batch.source(
            "active_rules",
            &json!({"version": 1, "hash": "00", "rules": default_rules()}),
        );
        Self(batch)
    }

    async fn run(&self, key: &str, shards: u32) -> Result<[Manifest; 2], TaskError> {
        let made = self.0.run(&ScoreBatch, key, shards).await?;
        Ok(made.try_into().unwrap())
    }
}

fn check(scores: &Manifest) -> &Value {
    let checks = scores.metadata["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 1);
    &checks[0]
}

#[tokio::test]
async fn the_shadow_changes_no_score_and_says_what_it_would_have_given() {
    let rows = features(500, 0.0);
    let expert = expert_card();
    let other = two_factors("2.0", 3.0);
    let alone = Bench::new(&rows, &expert, Value::Null).await;
    let [scores, nothing] = alone.run("k", 1).await.unwrap();
    assert_eq!(
        (nothing.dataset.as_str(), nothing.rows),
        ("shadow_scores", 0)
    );
    assert!(nothing.metadata.is_empty(), "{:?}", nothing.metadata);

    let beside = Bench::new(&rows, &expert, document(&other)).await;
    let [same, shadow] = beside.run("k", 1).await.unwrap();
    assert_eq!(
        (&same.digest, &same.metadata),
        (&scores.digest, &scores.metadata)
    );
    let said = &shadow.metadata["shadow"];
    assert_eq!(said["version"], "2.0");
    assert_eq!(said["hash"], other.hash().as_str());
    assert_eq!(said["champion_version"], "1.0");
    assert_eq!(said["comparison"]["parties"], 500);
    let would = beside.0.rows(&shadow).await;
    assert_eq!(would.num_rows(), 500);
    let raw = would.column_by_name("raw").unwrap();
    let finals = would.column_by_name("final_score").unwrap();
    let columns = feature_columns(&rows).unwrap();
    let rules = RuleSet::compile(&default_rules()).unwrap();
    let compiled = other.compile();
    for at in [0, 17, 499] {
        let vector = FeatureVector::new(std::array::from_fn(|feature| columns[feature][at]));
        let own = compiled.score(&vector);
        let decided = rules.apply(&compiled, vector.as_slice(), own.raw).unwrap();
        assert_eq!(raw.as_primitive::<Float64Type>().value(at), own.raw);
        assert_eq!(
            finals.as_primitive::<Int32Type>().value(at),
            decided.final_score
        );
    }
}

#[tokio::test]
async fn shards_give_the_same_versions_and_metadata_as_the_whole() {
    let rows = features(5_000, 0.0);
    let card = trained_on(&expert_card(), &features(2_000, 30.0));
    let bench = Bench::new(&rows, &card, document(&two_factors("2.0", 3.0))).await;
    let whole = bench.run("whole", 1).await.unwrap();
    let cut = bench.run("cut", 4).await.unwrap();
    for (whole, cut) in whole.iter().zip(&cut) {
        assert_eq!(whole.digest, cut.digest);
        assert_eq!(whole.metadata, cut.metadata);
    }
    assert_eq!(check(&cut[0])["passed"], false);
}

#[tokio::test]
async fn a_shadow_that_cannot_score_the_batch_spoils_nothing() {
    let rows = features(300, 0.0);
    let only_verified = two_factors("1.0", 1e-9);
    let alone = Bench::new(&rows, &only_verified, Value::Null).await;
    let mut unreadable = Bench::new(&rows, &only_verified, json!({"version": "2.0"})).await;
    // Where the tax id alone is missing the shadow says 600, which this rule cannot divide by.
    let rules = json!([{
        "name": "brittle", "priority": 1, "condition": "10 / (int(score) - 600) > 5000",
        "action": "adjust_score", "value": 1.0
    }]);
    for (bench, shadow, told) in [
        (&mut unreadable, None, "not a valid card"),
        (
            &mut Bench::new(&rows, &only_verified, document(&two_factors("3.0", 1.0))).await,
            Some("3.0"),
            "rule failed",
        ),
    ] {
        let mut with_rules = alone.0.clone();
        with_rules.config(json!({"rules": rules}));
        bench.0.config(json!({"rules": rules}));
        let [scores, shadow_scores] = bench.run("r", 1).await.unwrap();
        let expected = with_rules.run(&ScoreBatch, told, 1).await.unwrap();
        assert_eq!(scores.digest, expected[0].digest);
        assert_eq!(shadow_scores.rows, 0);
        let said = &shadow_scores.metadata["shadow"];
        assert_eq!(said["version"].as_str(), shadow);
        let why = said["not_scored"].as_str().unwrap();
        assert!(why.contains(told), "{why}");
    }
}

#[tokio::test]
async fn a_batch_like_the_training_population_passes_and_a_shifted_one_names_its_worst_lines() {
    let card = trained_on(&expert_card(), &features(2_000, 0.0));
    let alike = Bench::new(&features(1_500, 0.0), &card, Value::Null).await;
    let [scores, _] = alike.run("k", 1).await.unwrap();
    let found = check(&scores);
    assert_eq!(
        (&found["name"], &found["status"]),
        (&json!("drift"), &json!("pass"))
    );
    assert_eq!(found["passed"], true);
    assert_eq!(found["lines"], json!([]));
    assert_eq!(found["baseline_parties"], 2_000);

    let moved = Bench::new(&features(1_500, 6.0), &card, Value::Null).await;
    let [scores, _] = moved.run("k", 1).await.unwrap();
    let found = check(&scores);
    assert_eq!(
        (&found["status"], &found["severity"]),
        (&json!("fail"), &json!("warn"))
    );
    assert_eq!(found["passed"], false);
    let lines = found["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 5);
    let index = |line: &Value| line["index"].as_f64().unwrap();
    assert!(
        lines
            .windows(2)
            .all(|pair| index(&pair[0]) >= index(&pair[1]))
    );
    let worst = lines[0]["name"].as_str().unwrap();
    assert!(found["description"].as_str().unwrap().starts_with(worst));
    // What has not moved is not named.
    assert!(lines.iter().all(|line| line["name"] != "kyc_verified"));
}

#[tokio::test]
async fn without_a_training_population_the_check_says_that_it_was_not_evaluated() {
    let bench = Bench::new(&features(100, 0.0), &expert_card(), Value::Null).await;
    let [scores, _] = bench.run("k", 1).await.unwrap();
    let found = check(&scores);
    assert_eq!(found["status"], "not_evaluated");
    assert_eq!(found["passed"], Value::Null);
    let why = found["description"].as_str().unwrap();
    assert!(
        why.contains("card 1.0 keeps no training population"),
        "{why}"
    );
}

#[tokio::test]
async fn a_batch_without_parties_is_refused() {
    let empty = RecordBatch::new_empty(FEATURE_VECTORS.schema());
    let bench = Bench::new(&empty, &expert_card(), Value::Null).await;
    assert_eq!(bench.run("k", 1).await.unwrap_err().reason(), "EMPTY_BATCH");
}

#[tokio::test]
async fn what_is_published_keeps_the_rules_that_decided() {
    let bench = Bench::new(&features(100, 0.0), &expert_card(), Value::Null).await;
    let [scores, _] = bench.run("k", 1).await.unwrap();
    let kept: Vec<kycc_domain::rules::Rule> =
        serde_json::from_value(scores.metadata["rules"].clone()).unwrap();
    let digest = RuleSet::compile(&kept).unwrap().digest();
    assert_eq!(scores.metadata["rules_digest"], digest.as_str());
}

#[tokio::test]
async fn another_active_rule_set_changes_the_scores_that_its_rules_fire_on_and_no_other() {
    let rows = features(500, 0.0);
    let mut bench = Bench::new(&rows, &expert_card(), Value::Null).await;
    let [before, _] = bench.run("k1", 1).await.unwrap();
    assert_eq!(before.metadata["rules_version"], 1);
    let capped = json!({
        "name": "cap", "priority": 9, "condition": "score >= 600.0", "action": "set_max_score", "value": 400.0,
    });
    let mut rules = json!(default_rules());
    rules.as_array_mut().unwrap().push(capped);
    let second = json!({"version": 2, "hash": "01", "rules": rules});
    bench.0.source("active_rules", &second);
    let [after, _] = bench.run("k2", 1).await.unwrap();
    assert_eq!(after.metadata["rules_version"], 2);
    assert_ne!(
        after.metadata["rules_digest"],
        before.metadata["rules_digest"]
    );
    let (old, new) = (bench.0.rows(&before).await, bench.0.rows(&after).await);
    let numbers = |rows: &RecordBatch, name: &str| -> Vec<f64> {
        let column = arrow::compute::cast(
            rows.column_by_name(name).unwrap(),
            &arrow::datatypes::DataType::Float64,
        );
        let column = column.unwrap();
        let column = column.as_primitive::<arrow::datatypes::Float64Type>();
        column.values().to_vec()
    };
    let raw = numbers(&old, "raw");
    assert_eq!(numbers(&new, "raw"), raw);
    let pairs = numbers(&old, "final_score")
        .into_iter()
        .zip(numbers(&new, "final_score"));
    let (mut fired, mut spared) = (0, 0);
    for ((old, new), raw) in pairs.zip(&raw) {
        if *raw >= 600.0 {
            fired += 1;
            assert_eq!(new, old.min(400.0));
        } else {
            spared += 1;
            assert_eq!(new, old);
        }
    }
    assert!(fired > 0 && spared > 0, "{fired} {spared}");
}
