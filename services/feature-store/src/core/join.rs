//! Puts the rows of the three extractors side by side. They are joined by position, so they must agree on every party.

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::error::ArrowError;
use kycc_lake::datasets::FEATURE_VECTORS;

/// Two extractors disagree about the batch's parties.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JoinError {
    #[error(
        "{dataset} has {rows} rows, but {reference} has {expected}; extract the features of this batch again"
    )]
    RowCount {
        dataset: String,
        rows: u64,
        reference: String,
        expected: u64,
    },
    #[error(
        "{dataset} has party {party:?} (ordinal {ordinal}) where {reference} has {expected:?} (ordinal \
         {expected_ordinal}); extract the features of this batch again"
    )]
    Party {
        dataset: String,
        party: String,
        ordinal: u32,
        reference: String,
        expected: String,
        expected_ordinal: u32,
    },
    #[error("cannot assemble feature vectors of the joined columns")]
    Assemble { source: ArrowError },
}

/// Rows of one extractor, and where they come from.
pub(crate) struct Part<'a> {
    pub(crate) dataset: &'a str,
    pub(crate) rows: &'a RecordBatch,
}

/// Feature vectors of the same range of parties, in the columns of the `features` dataset. The first part is the
/// reference that the others are held against.
pub(crate) fn join(parts: &[Part<'_>; 3]) -> Result<RecordBatch, JoinError> {
    let [reference, others @ ..] = parts;
    for part in others {
        same_count(
            (part.dataset, part.rows.num_rows() as u64),
            (reference.dataset, reference.rows.num_rows() as u64),
        )?;
        same_parties(part, reference)?;
    }
    let schema = FEATURE_VECTORS.schema();
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .filter_map(|field| {
            let of = |part: &Part<'_>| part.rows.column_by_name(field.name()).cloned();
            parts.iter().find_map(of)
        })
        .collect();
    RecordBatch::try_new(schema, columns).map_err(|source| JoinError::Assemble { source })
}

/// Holds the row count of one dataset against another's, each given with its name.
pub(crate) fn same_count(
    (dataset, rows): (&str, u64),
    (reference, expected): (&str, u64),
) -> Result<(), JoinError> {
    if rows == expected {
        return Ok(());
    }
    Err(JoinError::RowCount {
        dataset: dataset.to_owned(),
        rows,
        reference: reference.to_owned(),
        expected,
    })
}

fn same_parties(part: &Part<'_>, reference: &Part<'_>) -> Result<(), JoinError> {
    let (ordinals, ids) = parties(part);
    let (expected_ordinals, expected_ids) = parties(reference);
    if ordinals == expected_ordinals && ids == expected_ids {
        return Ok(());
    }
    let differs = |&row: &usize| {
        ordinals.value(row) != expected_ordinals.value(row)
            || ids.value(row) != expected_ids.value(row)
    };
    let Some(row) = (0..part.rows.num_rows()).find(differs) else {
        return Ok(());
    };
    Err(JoinError::Party {
        dataset: part.dataset.to_owned(),
        party: ids.value(row).to_owned(),
        ordinal: ordinals.value(row),
        reference: reference.dataset.to_owned(),
        expected: expected_ids.value(row).to_owned(),
        expected_ordinal: expected_ordinals.value(row),
    })
}

fn parties<'a>(part: &Part<'a>) -> (&'a UInt32Array, &'a StringArray) {
    (
        part.rows["party_ord"].as_primitive(),
        part.rows["party_id"].as_string(),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use arrow::array::{Float64Array, Int64Array};
    use kycc_lake::DatasetSpec;
    use kycc_lake::datasets::{KYC_FEATURES, NETWORK_FEATURES, TRANSACTION_FEATURES};
    use std::sync::Arc;

    /// Rows of an extractor for `ids`, ordinals from 0, where every feature has its column's number as value.
    pub(crate) fn rows(spec: &DatasetSpec, ids: &[&str]) -> RecordBatch {
        let schema = spec.schema();
        let columns = schema.fields().iter().enumerate().map(|(number, field)| {
            let values = ids.iter().map(|_| number as f64);
            match field.name().as_str() {
                "party_ord" => {
                    Arc::new(UInt32Array::from_iter_values(0..ids.len() as u32)) as ArrayRef
                }
                "party_id" => Arc::new(StringArray::from_iter_values(ids)),
                "months_present" => {
                    Arc::new(Int64Array::from_iter_values(values.map(|v| v as i64)))
                }
                _ => Arc::new(Float64Array::from_iter_values(values)),
            }
        });
        let columns = columns.collect();
        RecordBatch::try_new(schema, columns).unwrap()
    }

    fn joined(
        kyc: &[&str],
        transaction: &[&str],
        network: &[&str],
    ) -> Result<RecordBatch, JoinError> {
        join(&[
            Part {
                dataset: "kyc_features",
                rows: &rows(&KYC_FEATURES, kyc),
            },
            Part {
                dataset: "transaction_features",
                rows: &rows(&TRANSACTION_FEATURES, transaction),
            },
            Part {
                dataset: "network_features",
                rows: &rows(&NETWORK_FEATURES, network),
            },
        ])
    }

    #[test]
    fn columns_of_all_extractors_stand_in_catalogue_order() {
        let ids = ["A", "B"];
        let vectors = joined(&ids, &ids, &ids).unwrap();
        assert_eq!(vectors.schema(), FEATURE_VECTORS.schema());
        let first: Vec<f64> = vectors.columns()[2..19]
            .iter()
            .map(|column| {
                column
                    .as_primitive::<arrow::datatypes::Float64Type>()
                    .value(0)
            })
            .collect();
        let expected = [2, 3, 4, 5, 6, 2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6, 7].map(f64::from);
        assert_eq!(first, expected);
    }

    #[test]
    fn a_range_without_parties_joins_to_no_vectors() {
        assert_eq!(joined(&[], &[], &[]).unwrap().num_rows(), 0);
    }

    #[test]
    fn the_first_party_that_differs_is_named() {
        let error = joined(&["A", "B", "C"], &["A", "B", "C"], &["A", "X", "Y"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "network_features has party \"X\" (ordinal 1) where kyc_features has \"B\" (ordinal 1); \
             extract the features of this batch again"
        );
    }

    #[test]
    fn a_missing_row_is_told_with_both_counts() {
        let error = joined(&["A", "B"], &["A"], &["A", "B"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "transaction_features has 1 rows, but kyc_features has 2; extract the features of this batch again"
        );
    }
}
