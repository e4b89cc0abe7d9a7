//! The same rows in scikit-learn, statsmodels, scipy and optbinning (`reference/make.py`) give the same numbers.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

use std::path::{Path, PathBuf};

use kycc_workbench::{
    Cuts, FitReport, FitWish, MeasureOptions, Measures, Penalty, Roles, Table, Vif, bin,
    compare_scores, fit, measure_scores, stability,
};
use serde_json::Value;

const FEATURES: [&str; 4] = ["age", "income", "debt_ratio", "late_payments"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

fn credit() -> Table {
    Table::read(&folder().join("credit.csv"), None).unwrap()
}

fn reference() -> Value {
    let text = std::fs::read_to_string(folder().join("reference.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn roles() -> Roles {
    Roles {
        target: "bad".into(),
        features: FEATURES.map(String::from).to_vec(),
        id: Some("id".into()),
        weight: None,
        holdout: Some("i%5==4".parse().unwrap()),
    }
}

fn quick() -> FitWish {
    FitWish {
        measures: MeasureOptions {
            replicates: 0,
            ..MeasureOptions::default()
        },
        ..FitWish::default()
    }
}

fn fitted(roles: &Roles, wish: &FitWish) -> FitReport {
    fit(&credit(), roles, wish).unwrap().report
}

#[track_caller]
fn near(what: &str, got: f64, wanted: &Value, tolerance: f64) {
    let wanted = wanted.as_f64().unwrap();
    assert!(
        (got - wanted).abs() <= tolerance * wanted.abs().max(1.0),
        "{what}: {got} is not {wanted}"
    );
}

#[track_caller]
fn same_model(report: &FitReport, wanted: &Value) {
    near(
        "intercept",
        report.intercept.standardised,
        &wanted["intercept"],
        1e-6,
    );
    assert_eq!(report.coefficients.len(), FEATURES.len());
    for (j, part) in report.coefficients.iter().enumerate() {
        near(
            &part.feature,
            part.coefficient,
            &wanted["coefficients"][j],
            1e-6,
        );
        if let Some(mean) = wanted.get("mean") {
            near("mean", part.mean, &mean[j], 1e-12);
            near("sd", part.sd, &wanted["sd"][j], 1e-12);
        }
    }
}

#[track_caller]
fn same_metrics(measures: &Measures, wanted: &Value, tolerance: f64) {
    near("auc", measures.auc.value, &wanted["auc"], tolerance);
    near("gini", measures.gini.value, &wanted["gini"], tolerance);
    near("ks", measures.ks.value, &wanted["ks"], tolerance);
    near(
        "average precision",
        measures.average_precision.value,
        &wanted["average_precision"],
        tolerance,
    );
    let pd = measures.probability.as_ref().unwrap();
    near("brier", pd.brier.value, &wanted["brier"], tolerance);
    near(
        "log-loss",
        pd.log_loss.value,
        &wanted["log_loss"],
        tolerance,
    );
    let line = pd.calibration.unwrap();
    // The reference stops its own line early.
    near("slope", line.slope, &wanted["calibration_slope"], 1e-5);
    near(
        "level",
        line.intercept,
        &wanted["calibration_intercept"],
        1e-5,
    );
}

#[test]
fn ridge_agrees_with_scikit_learn_on_training_and_holdout_rows() {
    let report = fitted(&roles(), &quick());
    let wanted = &reference()["l2"];
    same_model(&report, wanted);
    // Two solvers' probabilities differ in the seventh digit.
    same_metrics(&report.train, &wanted["train"], 1e-7);
    same_metrics(report.holdout.as_ref().unwrap(), &wanted["holdout"], 1e-7);
}

#[test]
fn row_weights_agree_with_scikit_learn() {
    let weighted = Roles {
        weight: Some("weight".into()),
        ..roles()
    };
    same_model(&fitted(&weighted, &quick()), &reference()["weighted"]);
}

#[test]
fn balanced_classes_agree_with_scikit_learn_after_the_intercept_is_put_right() {
    let balanced = FitWish {
        balanced: true,
        ..quick()
    };
    same_model(&fitted(&roles(), &balanced), &reference()["balanced"]);
}

#[test]
fn sign_bounds_agree_with_scipy() {
    let bounded = FitWish {
        signs: "age:+,debt_ratio:-".parse().unwrap(),
        ..quick()
    };
    let report = fitted(&roles(), &bounded);
    same_model(&report, &reference()["bounded"]);
    assert_eq!(report.coefficients[0].coefficient, 0.0);
    assert_eq!(report.coefficients[0].standard_error, None);
}

#[test]
fn unpenalised_estimates_errors_z_and_p_agree_with_statsmodels() {
    let plain = FitWish {
        penalty: Penalty::None,
        ..quick()
    };
    let report = fitted(&roles(), &plain);
    let wanted = &reference()["unpenalised"];
    near(
        "intercept",
        report.intercept.per_unit,
        &wanted["params"][0],
        1e-6,
    );
    for (j, part) in report.coefficients.iter().enumerate() {
        near(&part.feature, part.per_unit, &wanted["params"][j + 1], 1e-6);
        near(
            "standard error",
            part.per_unit_standard_error.unwrap(),
            &wanted["bse"][j + 1],
            1e-6,
        );
        near("z", part.z.unwrap(), &wanted["z"][j + 1], 1e-6);
        near("p", part.p_value.unwrap(), &wanted["p"][j + 1], 1e-6);
        let Vif::Value(vif) = part.vif else {
            panic!("{} has a variance inflation factor", part.feature);
        };
        near("vif", vif, &reference()["vif"][j], 1e-9);
    }
}

#[test]
fn metrics_of_a_score_with_ties_agree_with_scikit_learn_and_scipy() {
    let report = measure_scores(
        &credit(),
        "bad",
        "score_a",
        false,
        &MeasureOptions::default(),
    )
    .unwrap();
    let wanted = &reference()["scores"]["a"];
    let measures = &report.metrics;
    near("auc", measures.auc.value, &wanted["auc"], 1e-9);
    near("ks", measures.ks.value, &wanted["ks"], 1e-9);
    near(
        "average precision",
        measures.average_precision.value,
        &wanted["average_precision"],
        1e-9,
    );
    assert_eq!(measures.probability, None, "the score is no probability");
    assert!(measures.ks.lower.unwrap() < measures.ks.value);
    assert!(report.notices.iter().any(|n| n.contains("score_a")));
}

#[test]
fn comparison_agrees_with_delong_by_brute_force() {
    let comparison = compare_scores(&credit(), "bad", "score_a", "score_b", false).unwrap();
    let wanted = &reference()["delong"];
    near("a", comparison.a.auc.value, &wanted["a"], 1e-9);
    near("b", comparison.b.auc.value, &wanted["b"], 1e-9);
    near("delta", comparison.delta.value, &wanted["delta"], 1e-9);
    near(
        "standard error",
        comparison.standard_error,
        &wanted["standard_error"],
        1e-9,
    );
    near("p", comparison.p_value, &wanted["p_value"], 1e-9);
}

#[test]
fn stability_index_agrees_with_the_formula_on_ten_and_five_quantiles_and_with_missing_values() {
    let text = std::fs::read_to_string(folder().join("credit.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let half = |rows: &[&str]| {
        let text = format!("{}\n{}\n", lines[0], rows.join("\n"));
        Table::from_csv(text.as_bytes(), "half.csv", None).unwrap()
    };
    let (expected, actual) = (half(&lines[1..151]), half(&lines[151..]));
    for (column, bins, name) in [
        ("income", 10, "income_10"),
        ("late_payments", 5, "late_5"),
        ("months_since_late", 10, "since_10"),
    ] {
        let report = stability(&expected, &actual, column, bins).unwrap();
        near(name, report.psi, &reference()["psi"][name], 1e-12);
    }
}

#[test]
fn weights_of_evidence_at_given_cuts_agree_with_optbinning_missing_values_apart() {
    for column in ["age", "months_since_late"] {
        let wanted = &reference()["bins"][column];
        let cuts: Vec<f64> = serde_json::from_value(wanted["cuts"].clone()).unwrap();
        let report = bin(&credit(), "bad", column, None, &Cuts::At(cuts)).unwrap();
        let all: Vec<_> = report
            .binning
            .bins
            .iter()
            .chain(&report.binning.missing)
            .collect();
        assert_eq!(all.len(), wanted["woe"].as_array().unwrap().len());
        for (index, bin) in all.into_iter().enumerate() {
            assert_eq!(bin.rows, wanted["rows"][index].as_u64().unwrap());
            near("bads", bin.bads, &wanted["bads"][index], 0.0);
            near("woe", bin.woe, &wanted["woe"][index], 1e-9);
            near("iv", bin.iv, &wanted["iv"][index], 1e-9);
        }
        near(
            "information value",
            report.binning.information_value,
            &wanted["information_value"],
            1e-9,
        );
    }
}
