//! What a model says of itself: intervals, factors, warnings, refusals.

use serde_json::{Value, json};

use super::bench::{Bench, Party, parties};
use crate::core::model::Learned;

async fn bench_of(parties: &[Party]) -> Bench {
    let mut bench = Bench::new("B1").await;
    bench.labelled("B1", 0, true, parties).await;
    bench
}

async fn document_of(parties: &[Party]) -> Value {
    let mut bench = bench_of(parties).await;
    let (model, _) = bench.train("k").await.unwrap();
    bench.document(&model).await
}

fn warnings(document: &Value) -> Vec<&str> {
    let warnings = document["warnings"].as_array().unwrap();
    warnings.iter().map(|text| text.as_str().unwrap()).collect()
}

fn factor<'a>(document: &'a Value, feature: &str) -> &'a Value {
    let features = document["features"].as_array().unwrap();
    let place = features.iter().position(|name| name == feature).unwrap();
    &document["learned"]["factors"][place]
}

#[tokio::test]
async fn a_model_without_fault_has_no_warning() {
    let document = document_of(&parties(0, 2_000)).await;
    assert_eq!(warnings(&document), [] as [&str; 0]);
    assert_eq!(document["code_version"], "2");
}

#[tokio::test]
async fn bins_are_of_the_training_rows_before_scaling() {
    let mut young = parties(0, 2_000);
    for (index, party) in young.iter_mut().enumerate() {
        let age = (index % 11) as f64;
        party.set("company_age_years", age);
        // The card's scaling ends at five years.
        party.bad = index * 7919 % 101 < if age < 7.0 { 40 } else { 20 };
    }
    let document = document_of(&young).await;
    let age = &factor(&document, "company_age_years")["bins"];
    let bins = age["bins"].as_array().unwrap();
    let rows: u64 = bins.iter().map(|bin| bin["rows"].as_u64().unwrap()).sum();
    assert_eq!(rows, document["train"]["rows"].as_u64().unwrap());
    let cuts: Vec<f64> = bins.iter().filter_map(|bin| bin["low"].as_f64()).collect();
    assert!(cuts.iter().any(|cut| (6.0..=7.0).contains(cut)), "{cuts:?}");
}

#[tokio::test]
async fn a_factor_that_knows_the_outcome_is_named_and_so_is_separation() {
    let mut leaking = parties(0, 600);
    for party in &mut leaking {
        let good = f64::from(!party.bad);
        party.set("has_tax_id", good);
    }
    let document = document_of(&leaking).await;
    let warnings = warnings(&document);
    let leakage = warnings.iter().find(|text| text.starts_with("leakage?"));
    assert!(leakage.unwrap().contains("has_tax_id"), "{warnings:?}");
    assert!(
        warnings
            .iter()
            .any(|text| text.contains("every good training row from every bad one")),
        "{warnings:?}"
    );
}

/// Twice the depth is the number of counterparties, and both scalings keep that.
fn collinear() -> Vec<Party> {
    let mut parties = parties(0, 600);
    for (index, party) in parties.iter_mut().enumerate() {
        let depth = (index % 6) as f64;
        party.set("network_depth_downstream", depth);
        party.set("direct_counterparty_count", 2.0 * depth);
    }
    parties
}

#[tokio::test]
async fn collinear_factors_are_a_warning_under_the_penalty() {
    let document = document_of(&collinear()).await;
    let warnings = warnings(&document);
    let [warning] = warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!(warning.starts_with("collinear: "), "{warning}");
    for feature in ["network_depth_downstream", "direct_counterparty_count"] {
        assert!(warning.contains(feature), "{warning}");
        assert_eq!(
            factor(&document, feature)["variance_inflation"],
            "collinear"
        );
    }
}

#[tokio::test]
async fn without_a_penalty_collinear_factors_are_an_error_that_names_them() {
    let mut bench = bench_of(&collinear()).await;
    bench.config["penalty"] = json!("none");
    let refused = bench.train("k").await.unwrap_err();
    assert_eq!(refused.reason(), "FIT_COLLINEAR");
    let told = refused.to_string() + &format!("{refused:?}");
    assert!(told.contains("network_depth_downstream"), "{told}");
}

#[tokio::test]
async fn without_a_penalty_the_fit_is_maximum_likelihood() {
    let mut bench = bench_of(&parties(0, 2_000)).await;
    bench.config["shrink_to_expert"] = json!("auto");
    bench.config["penalty"] = json!("none");
    let (model, _) = bench.train("k").await.unwrap();
    let document = bench.document(&model).await;
    assert_eq!(document["learned"]["fit"]["penalty"], "none");
    assert_eq!(document["learned"]["shrunk_to_expert"], false);
    // Probabilities of maximum likelihood add up to the bads; the intercept sees to that under the penalty too, but
    // the coefficients are shrunk there.
    bench.config["penalty"] = json!("l2");
    bench.config["c"] = json!(0.01);
    let (model, _) = bench.train("shrunk").await.unwrap();
    let shrunk = bench.document(&model).await;
    let size = |document: &Value| -> f64 {
        let coefficients = document["learned"]["fit"]["coefficients"]
            .as_array()
            .unwrap();
        coefficients.iter().map(|b| b.as_f64().unwrap().abs()).sum()
    };
    assert!(size(&shrunk) < size(&document));
}

#[tokio::test]
async fn shrinking_to_the_expert_without_a_penalty_is_refused() {
    let mut bench = bench_of(&parties(0, 300)).await;
    bench.config["penalty"] = json!("none");
    bench.config["shrink_to_expert"] = json!("always");
    let refused = bench.train("k").await.unwrap_err();
    assert_eq!(refused.reason(), "FIT_NEEDS_PENALTY");
}

#[tokio::test]
async fn factors_that_tell_nearly_the_same_are_gathered_in_one_warning() {
    let mut near = collinear();
    for party in near.iter_mut().step_by(29) {
        party.set("direct_counterparty_count", 9.0);
    }
    let document = document_of(&near).await;
    let warnings = warnings(&document);
    let [warning] = warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!(warning.starts_with("uncertain: "), "{warning}");
    for feature in ["network_depth_downstream", "direct_counterparty_count"] {
        assert!(warning.contains(feature), "{warning}");
    }
}

#[tokio::test]
async fn a_fit_that_did_not_converge_is_the_first_thing_to_know() {
    let document = document_of(&collinear()).await;
    let features: Vec<String> = serde_json::from_value(document["features"].clone()).unwrap();
    let mut learned: Learned = serde_json::from_value(document["learned"].clone()).unwrap();
    learned.fit.converged = false;
    let found = crate::core::warnings::warnings(&features, &learned);
    assert!(found[0].contains("did not converge"), "{found:?}");
    assert!(found[1].starts_with("collinear: "), "{found:?}");
}
