//! Rows of the `features` dataset as the API's vectors, each value with its confidence.

use crate::core::validate::values;
use crate::handlers::extract::AS_OF;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use chrono::DateTime;
use kycc_domain::catalogue::{FEATURES, FeatureSpec, confidences};
use kycc_lake::{Manifest, PartyTable};
use kycc_proto::features::v1::{
    FeatureValue, FeatureVector, GetFeaturesRequest, GetFeaturesResponse,
};
use prost_types::Timestamp;
use serde_json::Value;

/// The vectors of the parties asked for that `table` holds; the others are named.
pub(super) fn answer(
    request: &GetFeaturesRequest,
    table: &PartyTable,
    as_of_time: Option<Timestamp>,
) -> GetFeaturesResponse {
    let mut response = GetFeaturesResponse::default();
    for party_id in &request.party_ids {
        match table.row_of(party_id) {
            None => response.missing_party_ids.push(party_id.clone()),
            Some(row) => response.vectors.push(FeatureVector {
                party_id: party_id.clone(),
                batch_id: request.batch_id.clone(),
                as_of_time,
                values: feature_values(table, row),
            }),
        }
    }
    response
}

fn feature_values(table: &PartyTable, row: usize) -> Vec<FeatureValue> {
    let rows = table.rows();
    let found = FEATURES.each_ref().map(|spec| values(rows, spec)[row]);
    let months = rows["months_present"]
        .as_primitive::<Int64Type>()
        .value(row);
    let count = values(rows, transaction_count())[row];
    let confidences = confidences(u32::try_from(months).unwrap_or(0), count > 0.0);
    FEATURES
        .iter()
        .zip(found)
        .zip(confidences)
        .map(|((spec, value), confidence)| FeatureValue {
            name: spec.name.to_owned(),
            value,
            confidence,
        })
        .collect()
}

fn transaction_count() -> &'static FeatureSpec {
    let spec = FEATURES
        .iter()
        .find(|spec| spec.name == "transaction_count_6m");
    spec.expect("the catalogue has it")
}

/// The as-of time that a version's metadata names, where its maker knew it.
pub(super) fn as_of_time(manifest: &Manifest) -> Option<Timestamp> {
    let text = manifest.metadata.get(AS_OF).and_then(Value::as_str)?;
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp {
        seconds: time.timestamp(),
        nanos: time.timestamp_subsec_nanos() as i32,
    })
}
