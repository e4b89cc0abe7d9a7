//! A model of the registry as an answer of the API. Models of code version 1 answer with what they have.

mod bins;
mod curves;

use std::collections::HashMap;

use kycc_domain::metrics::{BootstrapIntervals, HoldoutMetrics};
use kycc_domain::vif::Vif;
use kycc_proto::models::v1::{Coefficient, Interval, Model};
use kycc_rpc::{ApiError, timestamp};

use crate::core::factors::sign_as_declared;
use crate::core::model::{Learned, ModelDocument};
use crate::store::Registered;

pub(crate) use bins::factor_bins;
pub(crate) use curves::curves;

pub(crate) fn document(entry: &Registered) -> Result<ModelDocument, ApiError> {
    serde_json::from_str(&entry.document).map_err(|error| ApiError::internal(&error))
}

pub(crate) fn model(entry: Registered) -> Result<Model, ApiError> {
    let document = document(&entry)?;
    let learned = document.learned.as_ref();
    Ok(Model {
        model_id: entry.model_id,
        status: document.status.as_str().to_owned(),
        create_time: Some(timestamp(entry.created_at_micros)),
        run_id: entry.run_id,
        batch_ids: document.batches,
        train_rows: document.train.rows as u64,
        holdout_rows: document.holdout.rows as u64,
        train_bads: document.train.bads as u64,
        holdout_bads: document.holdout.bads as u64,
        observed_share: document.train.observed_share,
        intercept: learned.map_or(0.0, |learned| learned.fit.intercept),
        coefficients: learned
            .map(|learned| coefficients(&document.features, learned))
            .unwrap_or_default(),
        metrics: learned
            .and_then(|learned| learned.metrics.as_ref())
            .map(metrics)
            .unwrap_or_default(),
        config_json: document.config.to_string(),
        code_version: document.code_version,
        note: document.note,
        intervals: learned.map(intervals).unwrap_or_default(),
        warnings: document.warnings,
    })
}

fn coefficients(features: &[String], learned: &Learned) -> Vec<Coefficient> {
    let fit = &learned.fit;
    let parts = features.iter().enumerate().map(|(index, feature)| {
        let factor = learned.factors.get(index);
        Coefficient {
            feature: feature.clone(),
            value: fit.coefficients[index],
            standard_error: fit.standard_errors[index].unwrap_or(0.0),
            mean: fit.standardiser.mean[index],
            standard_deviation: fit.standardiser.sd[index],
            variance_inflation: match factor.map(|factor| factor.variance_inflation) {
                Some(Vif::Value(value)) => value,
                Some(Vif::Collinear | Vif::Constant) | None => 0.0,
            },
            collinear: factor.is_some_and(|factor| factor.variance_inflation == Vif::Collinear),
            sign_as_declared: factor.map_or_else(
                || sign_as_declared(feature, fit.coefficients[index]),
                |factor| factor.sign_as_declared,
            ),
            information_value: factor.map_or(0.0, |factor| factor.bins.information_value),
        }
    });
    parts.collect()
}

fn intervals(learned: &Learned) -> HashMap<String, Interval> {
    let delong = learned
        .metrics
        .as_ref()
        .and_then(|metrics| metrics.auc_interval.as_ref())
        .into_iter()
        .flat_map(|auc| {
            let gini = |auc: f64| 2.0 * auc - 1.0;
            [
                ("auc", auc.lower, auc.upper),
                ("gini", gini(auc.lower), gini(auc.upper)),
            ]
        })
        .map(|(metric, lower, upper)| (metric, lower, upper, "delong"));
    let bootstrap = learned
        .bootstrap
        .iter()
        .flat_map(bootstrapped)
        .map(|(metric, lower, upper)| (metric, lower, upper, "bootstrap"));
    delong
        .chain(bootstrap)
        .map(|(metric, lower, upper, method)| {
            let interval = Interval {
                lower,
                upper,
                method: method.to_owned(),
            };
            (metric.to_owned(), interval)
        })
        .collect()
}

/// Those that have no interval in closed form.
fn bootstrapped(of: &BootstrapIntervals) -> impl Iterator<Item = (&'static str, f64, f64)> {
    [
        ("ks", Some(of.ks)),
        ("average_precision", Some(of.average_precision)),
        ("brier", of.brier),
        ("log_loss", of.log_loss),
    ]
    .into_iter()
    .filter_map(|(metric, interval)| {
        interval.map(|interval| (metric, interval.lower, interval.upper))
    })
}

fn metrics(of: &HoldoutMetrics) -> HashMap<String, f64> {
    let mut numbers = vec![
        ("auc", of.auc),
        ("gini", of.gini),
        ("ks", of.ks),
        ("average_precision", of.average_precision),
        ("brier", of.brier),
        ("log_loss", of.log_loss),
        ("expected_calibration_error", of.expected_calibration_error),
        ("lift_top_tenth", of.lift_top_tenth),
    ];
    if let Some(line) = &of.calibration {
        numbers.extend([
            ("calibration_slope", line.slope),
            ("calibration_intercept", line.intercept),
        ]);
    }
    numbers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
