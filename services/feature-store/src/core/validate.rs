//! Every value finite and within its range of the catalogue. What passes here may be scored.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use kycc_domain::catalogue::{FEATURES, FeatureSpec};

/// A value that no party can have: an extractor or the data given to it is wrong.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error(
    "party {party:?}: {feature} is {value}, expected {expected}; look at its records and extract again"
)]
pub(crate) struct InvalidValue {
    pub(crate) party: String,
    pub(crate) feature: &'static str,
    pub(crate) value: f64,
    pub(crate) expected: String,
}

/// The first invalid value by party, then in catalogue order, is the error.
pub(crate) fn validate(vectors: &RecordBatch) -> Result<(), InvalidValue> {
    let first = FEATURES
        .iter()
        .filter_map(|spec| {
            let column = values(vectors, spec);
            let row = column.iter().position(|&value| !is_valid(spec, value))?;
            Some((row, spec, column[row]))
        })
        .min_by_key(|&(row, ..)| row);
    let Some((row, spec, value)) = first else {
        return Ok(());
    };
    let ids = vectors
        .column_by_name("party_id")
        .expect("part of the schema");
    Err(InvalidValue {
        party: ids.as_string::<i32>().value(row).to_owned(),
        feature: spec.name,
        value,
        expected: expected(spec),
    })
}

/// The column of one feature in feature vectors.
pub(crate) fn values<'a>(vectors: &'a RecordBatch, spec: &FeatureSpec) -> &'a [f64] {
    let column = vectors
        .column_by_name(spec.name)
        .expect("part of the schema");
    column.as_primitive::<Float64Type>().values()
}

fn is_valid(spec: &FeatureSpec, value: f64) -> bool {
    value.is_finite()
        && spec.min.is_none_or(|min| value >= min)
        && spec.max.is_none_or(|max| value <= max)
}

fn expected(spec: &FeatureSpec) -> String {
    match (spec.min, spec.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("a finite number from {min}"),
        (None, Some(max)) => format!("a finite number up to {max}"),
        (None, None) => "a finite number".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, UInt32Array};
    use kycc_lake::datasets::FEATURE_VECTORS;
    use std::sync::Arc;

    /// Parties A, B, C with the least value of each feature, but for `changes` of (row, feature, value).
    fn vectors(changes: &[(usize, &str, f64)]) -> RecordBatch {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from(vec![0, 1, 2])),
            Arc::new(StringArray::from(vec!["A", "B", "C"])),
        ];
        for spec in FEATURES {
            let mut values = vec![spec.min.unwrap_or(-5.0); 3];
            for &(row, _, value) in changes.iter().filter(|(_, name, _)| *name == spec.name) {
                values[row] = value;
            }
            columns.push(Arc::new(Float64Array::from(values)));
        }
        columns.push(Arc::new(Int64Array::from(vec![0; 3])));
        RecordBatch::try_new(FEATURE_VECTORS.schema(), columns).unwrap()
    }

    #[test]
    fn values_at_the_ends_of_their_range_are_valid() {
        let ends = [
            (0, "kyc_verified", 1.0),
            (1, "network_depth_downstream", 5.0),
        ];
        assert_eq!(validate(&vectors(&ends)), Ok(()));
    }

    #[test]
    fn the_first_invalid_party_is_named_with_feature_value_and_range() {
        let changes = [
            (2, "kyc_verified", 2.0),
            (1, "network_size", 0.0),
            (1, "network_balance_ratio", -1.0),
        ];
        assert_eq!(
            validate(&vectors(&changes)).unwrap_err().to_string(),
            "party \"B\": network_size is 0, expected a finite number from 1; look at its records and extract again"
        );
    }

    #[test]
    fn nan_and_infinite_values_are_invalid() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = validate(&vectors(&[(0, "avg_transaction_amount", value)])).unwrap_err();
            assert_eq!(
                (error.party.as_str(), error.feature),
                ("A", "avg_transaction_amount")
            );
        }
    }
}
