//! A model of the registry as an answer of the API.

use std::collections::HashMap;

use kycc_domain::metrics::HoldoutMetrics;
use kycc_proto::models::v1::{Coefficient, Model};
use kycc_rpc::{ApiError, timestamp};

use crate::core::model::{Learned, ModelDocument};
use crate::store::Registered;

pub(crate) fn model(entry: Registered) -> Result<Model, ApiError> {
    let document: ModelDocument =
        serde_json::from_str(&entry.document).map_err(|error| ApiError::internal(&error))?;
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
    })
}

fn coefficients(features: &[String], learned: &Learned) -> Vec<Coefficient> {
    let fit = &learned.fit;
    let parts = features
        .iter()
        .enumerate()
        .map(|(index, feature)| Coefficient {
            feature: feature.clone(),
            value: fit.coefficients[index],
            standard_error: fit.standard_errors[index].unwrap_or(0.0),
            mean: fit.standardiser.mean[index],
            standard_deviation: fit.standardiser.sd[index],
        });
    parts.collect()
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
    if let Some(interval) = &of.auc_interval {
        numbers.extend([("auc_lower", interval.lower), ("auc_upper", interval.upper)]);
    }
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
