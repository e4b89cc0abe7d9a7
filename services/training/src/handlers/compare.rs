//! `CompareModels`: the figures of several models side by side, and whether they were judged on the same rows.

use std::collections::BTreeSet;

use kycc_proto::models::v1::{
    CompareModelsRequest, CompareModelsResponse, ComparedMetric, MetricComparison, Model,
};
use kycc_rpc::ApiError;
use serde_json::Value;

use super::answers;
use crate::core::model::ModelDocument;
use crate::store::Registered;

const MODELS: std::ops::RangeInclusive<usize> = 2..=10;
/// What of a model's config decides which rows are held out.
const SPLIT_KEYS: [&str; 2] = ["seed", "min_samples"];

/// The ids of a request, each there and there once.
pub(super) fn ids(request: CompareModelsRequest) -> Result<Vec<String>, ApiError> {
    let ids = request.model_ids;
    if !MODELS.contains(&ids.len()) {
        let text = format!(
            "{} model ids, expected {} to {}",
            ids.len(),
            MODELS.start(),
            MODELS.end()
        );
        return Err(ApiError::invalid("model_ids", text));
    }
    let mut seen = BTreeSet::new();
    for (at, id) in ids.iter().enumerate() {
        let wrong = match id.as_str() {
            "" => Some("must name a model"),
            id if !seen.insert(id) => Some("is named twice"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(ApiError::invalid(format!("model_ids[{at}]"), wrong));
        }
    }
    Ok(ids)
}

pub(super) fn answer(entries: Vec<Registered>) -> Result<CompareModelsResponse, ApiError> {
    let documents = entries.iter().map(answers::document);
    let documents = documents.collect::<Result<Vec<_>, _>>()?;
    let models = entries.into_iter().map(|entry| {
        let mut model = answers::model(entry)?;
        model.coefficients.clear();
        Ok(model)
    });
    let models = models.collect::<Result<Vec<_>, ApiError>>()?;
    let differs = holdout_differs(&documents);
    let names: BTreeSet<_> = models
        .iter()
        .flat_map(|model| model.metrics.keys())
        .collect();
    let metrics = names.into_iter().map(|name| comparison(name, &models));
    Ok(CompareModelsResponse {
        metrics: metrics.collect(),
        models,
        same_holdout: differs.is_none(),
        holdout_differs: differs.unwrap_or_default(),
    })
}

fn comparison(metric: &str, models: &[Model]) -> MetricComparison {
    let first = models.first().and_then(|model| model.metrics.get(metric));
    let of = |(at, model): (usize, &Model)| {
        let value = model.metrics.get(metric).copied();
        let difference = value.zip(first).map(|(value, first)| value - first);
        ComparedMetric {
            model_id: model.model_id.clone(),
            value,
            difference: difference.filter(|_| at > 0),
            interval: model.intervals.get(metric).cloned(),
        }
    };
    MetricComparison {
        metric: metric.to_owned(),
        direction: direction(metric),
        models: models.iter().enumerate().map(of).collect(),
    }
}

fn direction(metric: &str) -> i32 {
    match metric {
        "brier" | "log_loss" | "expected_calibration_error" => -1,
        "calibration_slope" | "calibration_intercept" => 0,
        _ => 1,
    }
}

/// Why models were not judged on the same rows, if they were not: the same labels and features of the same batches, cut in the
/// same way. Models of code version 1 do not say what they were made of.
fn holdout_differs(documents: &[ModelDocument]) -> Option<String> {
    let (first, others) = documents.split_first()?;
    let unjudged = |model: &&ModelDocument| {
        let metrics = model
            .learned
            .as_ref()
            .and_then(|learned| learned.metrics.as_ref());
        metrics.is_none()
    };
    if let Some(model) = documents.iter().find(unjudged) {
        return Some(format!("model {} was never judged", model.model_id));
    }
    if let Some(model) = documents.iter().find(|model| model.data.is_empty()) {
        return Some(format!(
            "model {} does not say which data it was made of",
            model.model_id
        ));
    }
    let differs = |other: &ModelDocument| {
        let data = |model: &ModelDocument| -> BTreeSet<[String; 3]> {
            let batches = model.data.iter();
            batches
                .map(|batch| {
                    [
                        batch.batch.clone(),
                        batch.labels.digest.clone(),
                        batch.features.digest.clone(),
                    ]
                })
                .collect()
        };
        let split = |model: &ModelDocument| -> Vec<Value> {
            SPLIT_KEYS.map(|key| model.config[key].clone()).to_vec()
        };
        if data(first) != data(other) {
            Some("other batches, labels or features")
        } else if split(first) != split(other) {
            Some("another seed or least number of samples")
        } else if first.holdout.rows != other.holdout.rows {
            Some("another cut of the rows")
        } else {
            None
        }
    };
    others.iter().find_map(|other| {
        let what = differs(other)?;
        let (one, other) = (&first.model_id, &other.model_id);
        Some(format!(
            "model {other} was judged on other rows than {one}: {what}"
        ))
    })
}
