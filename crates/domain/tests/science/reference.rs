//! The numbers that scikit-learn, SciPy, statsmodels and NumPy give for the same rows.

use kycc_domain::logistic::{ClassWeights, FitOptions, Penalty, fit};
use kycc_domain::matrix::Matrix;
use kycc_domain::metrics::{calibration_line, delong, evaluate, paired_delong};
use kycc_domain::psi::psi;
use kycc_domain::vif::{Vif, vif};
use serde_json::Value;

use crate::rows::{COLUMNS, fixture, rows};

fn close(found: f64, wanted: &Value, tolerance: f64, what: &str) {
    let wanted = wanted.as_f64().unwrap();
    assert!(
        (found - wanted).abs() <= tolerance,
        "{what}: {found} is not {wanted}"
    );
}

#[test]
fn metrics_are_those_of_scikit_learn_and_scipy_with_and_without_ties() {
    let fixture = fixture();
    let rows = rows(&fixture);
    for (name, score) in [
        ("tied", &rows.tied),
        ("other", &rows.other),
        ("distinct", &rows.distinct),
    ] {
        let wanted = &fixture["metrics"][name];
        let found = evaluate(score, &rows.bad, 0.5).unwrap();
        close(found.auc, &wanted["auc"], 1e-12, name);
        close(found.ks, &wanted["ks"], 1e-12, name);
        close(
            found.average_precision,
            &wanted["average_precision"],
            1e-12,
            name,
        );
        close(found.brier, &wanted["brier"], 1e-12, name);
        close(found.log_loss, &wanted["log_loss"], 1e-12, name);
        let line = calibration_line(score, &rows.bad).unwrap();
        close(line.slope, &wanted["calibration_slope"], 1e-9, name);
        close(line.intercept, &wanted["calibration_intercept"], 1e-9, name);
    }
}

#[test]
fn paired_delong_is_that_of_all_pairs() {
    let fixture = fixture();
    let rows = rows(&fixture);
    let wanted = &fixture["paired_delong"];
    let found = paired_delong(&rows.other, &rows.tied, &rows.bad).unwrap();
    close(found.delta, &wanted["delta"], 1e-12, "delta");
    close(found.variance, &wanted["variance"], 1e-12, "variance");
    close(found.p_value, &wanted["p_value"], 1e-15, "p");
    let alone = delong(&rows.other, &rows.bad).unwrap().variance;
    close(alone, &wanted["champion_variance"], 1e-12, "variance alone");
}

#[test]
fn ridge_fits_are_those_of_scikit_learn() {
    let fixture = fixture();
    let rows = rows(&fixture);
    let cases = fixture["ridge"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let balanced = case["balanced"].as_bool().unwrap();
        let options = FitOptions {
            c: case["c"].as_f64().unwrap(),
            class_weights: if balanced {
                ClassWeights::Balanced
            } else {
                ClassWeights::Off
            },
            ..FitOptions::default()
        };
        let weighted = case["weighted"].as_bool().unwrap();
        let weights = weighted.then_some(&rows.weights[..]);
        let matrix = Matrix::new(&rows.factors, COLUMNS).unwrap();
        let found = fit(matrix, &rows.bad, weights, &options).unwrap();
        assert!(found.converged);
        for (j, coefficient) in found.coefficients.iter().enumerate() {
            close(*coefficient, &case["coefficients"][j], 1e-6, "coefficient");
        }
        close(found.intercept, &case["intercept"], 1e-6, "intercept");
    }
}

#[test]
fn unpenalised_fits_and_their_errors_are_those_of_statsmodels() {
    let fixture = fixture();
    let rows = rows(&fixture);
    for case in fixture["unpenalised"].as_array().unwrap() {
        let options = FitOptions {
            penalty: Penalty::None,
            ..FitOptions::default()
        };
        let weighted = case["weighted"].as_bool().unwrap();
        let weights = weighted.then_some(&rows.weights[..]);
        let matrix = Matrix::new(&rows.factors, COLUMNS).unwrap();
        let found = fit(matrix, &rows.bad, weights, &options).unwrap();
        for j in 0..COLUMNS {
            let error = found.standard_errors[j].unwrap();
            close(found.coefficients[j], &case["coefficients"][j], 1e-8, "b");
            close(error, &case["standard_errors"][j], 1e-8, "se");
        }
        let error = found.intercept_standard_error.unwrap();
        close(found.intercept, &case["intercept"], 1e-8, "intercept");
        close(error, &case["intercept_standard_error"], 1e-8, "its error");
    }
}

#[test]
fn inflation_factors_are_those_of_statsmodels() {
    let fixture = fixture();
    let rows = rows(&fixture);
    let found = vif(Matrix::new(&rows.factors, COLUMNS).unwrap(), None).unwrap();
    for (j, factor) in found.iter().enumerate() {
        let Vif::Value(value) = factor else {
            panic!("column {j} is {factor:?}")
        };
        close(*value, &fixture["vif"][j], 1e-9, "vif");
    }
}

#[test]
fn stability_index_is_that_of_numpy() {
    let fixture = fixture();
    let rows = rows(&fixture);
    let half = rows.bad.len() / 2;
    let moved: Vec<f64> = rows.distinct[half..]
        .iter()
        .map(|v| v * 0.9 + 0.05)
        .collect();
    let flag = Matrix::new(&rows.factors, COLUMNS).unwrap().column(4);
    for (name, expected, actual) in [
        ("distinct", &rows.distinct[..half], &moved[..]),
        ("tied", &rows.tied[..half], &rows.other[half..]),
        ("flag", &flag[..half], &flag[half..]),
    ] {
        let wanted = &fixture["psi"][name];
        let found = psi(expected, actual).unwrap();
        close(found.value, &wanted["value"], 1e-12, name);
        close(found.no_shift_bound, &wanted["no_shift_bound"], 1e-9, name);
        for (edge, wanted) in found.edges.iter().zip(wanted["edges"].as_array().unwrap()) {
            close(*edge, wanted, 1e-12, name);
        }
    }
}
