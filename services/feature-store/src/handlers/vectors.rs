//! Rows of the `features` dataset as the API's vectors, each value with its confidence.

use super::columns::Columns;
use super::current::Features;
use crate::handlers::extract::AS_OF;
use chrono::DateTime;
use kycc_domain::catalogue::FEATURES;
use kycc_lake::Manifest;
use kycc_proto::features::v1::{FeatureValue, FeatureVector};
use serde_json::Value;

/// The vector of one row.
pub(super) fn vector(features: &Features, row: usize) -> FeatureVector {
    let values = features.table.prepared(Columns::of).row(row);
    let values = FEATURES.iter().zip(values);
    FeatureVector {
        party_id: features.table.party(row).to_owned(),
        batch_id: features.version.batch.to_string(),
        as_of_time: features.as_of.map(kycc_rpc::timestamp),
        values: values
            .map(|(spec, (value, confidence))| FeatureValue {
                name: spec.name.to_owned(),
                value,
                confidence,
            })
            .collect(),
    }
}

/// The as-of time that a version's metadata names, in microseconds, where its maker knew it.
pub(super) fn as_of(manifest: &Manifest) -> Option<i64> {
    let text = manifest.metadata.get(AS_OF).and_then(Value::as_str)?;
    Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros())
}
