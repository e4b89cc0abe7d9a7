//! Labels and features of a batch, put together into labelled rows, and those rows as a dataset.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use kycc_domain::catalogue::{FEATURE_COUNT, FEATURES};
use kycc_domain::split::Split;
use kycc_lake::Lake;
use kycc_lake::datasets::TRAINING_ROWS;
use kycc_runtime::TaskError;

use super::batches::Labelled;
use crate::core::rows::LabelledRow;

/// Appends every row of the batch that carries weight, by party.
pub(crate) async fn read(
    lake: &Lake,
    batch: &Labelled,
    rows: &mut Vec<LabelledRow>,
) -> Result<(), TaskError> {
    let labels = batch.labels.version();
    let labelled = lake
        .read(
            &labels,
            Some(&["party_id", "t0", "label", "source", "weight"]),
            None,
        )
        .await?;
    let names: Vec<&str> = std::iter::once("party_id")
        .chain(FEATURES.iter().map(|spec| spec.name))
        .collect();
    let vectors = lake
        .read(&batch.features.version(), Some(&names), None)
        .await?;
    if labelled.num_rows() != vectors.num_rows() || labelled.column(0) != vectors.column(0) {
        return Err(TaskError::fatal(
            "LABELS_AND_FEATURES_DIFFER",
            format!(
                "labels and features of batch {} are not of the same parties; label the batch again",
                labels.batch
            ),
        ));
    }
    let party_ids = labelled.column(0).as_string::<i32>();
    let t0 = labelled
        .column(1)
        .as_primitive::<TimestampMicrosecondType>();
    let label = labelled.column(2).as_string::<i32>();
    let source = labelled.column(3).as_string::<i32>();
    let weight = labelled.column(4).as_primitive::<Float64Type>();
    let columns: [&Float64Array; FEATURE_COUNT] =
        std::array::from_fn(|feature| vectors.column(feature + 1).as_primitive::<Float64Type>());
    for row in 0..labelled.num_rows() {
        let bad = match label.value(row) {
            "bad" => true,
            "good" => false,
            _ => continue,
        };
        if weight.value(row) <= 0.0 {
            continue;
        }
        rows.push(LabelledRow {
            batch: labels.batch.to_string(),
            party_id: party_ids.value(row).to_owned(),
            t0_micros: t0.value(row),
            bad,
            observed: source.is_valid(row) && source.value(row) == "observed",
            weight: weight.value(row),
            features: columns.map(|column| column.value(row)),
        });
    }
    Ok(())
}

/// The rows that trained or were held out, as the `training_rows` dataset wants them; none without a split.
pub(crate) fn dataset(
    rows: &[LabelledRow],
    split: Option<&Split>,
) -> Result<RecordBatch, ArrowError> {
    let mut chosen: Vec<(usize, &str)> = split
        .map(|split| {
            let train = split.train.iter().map(|&row| (row, "train"));
            train
                .chain(split.holdout.iter().map(|&row| (row, "holdout")))
                .collect()
        })
        .unwrap_or_default();
    chosen.sort_unstable();
    let of = |index: &(usize, &str)| &rows[index.0];
    let text = |get: fn(&LabelledRow) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            chosen.iter().map(|index| get(of(index))),
        ))
    };
    let t0: TimestampMicrosecondArray = chosen
        .iter()
        .map(|index| Some(of(index).t0_micros))
        .collect();
    let bad: BooleanArray = chosen.iter().map(|index| Some(of(index).bad)).collect();
    let mut columns: Vec<ArrayRef> = vec![
        text(|row| &row.batch),
        text(|row| &row.party_id),
        Arc::new(t0.with_timezone("UTC")),
        Arc::new(bad),
        text(|row| {
            if row.observed {
                "observed"
            } else {
                "scorecard"
            }
        }),
        Arc::new(Float64Array::from_iter_values(
            chosen.iter().map(|index| of(index).weight),
        )),
        Arc::new(StringArray::from_iter_values(
            chosen.iter().map(|(_, part)| *part),
        )),
    ];
    for feature in 0..FEATURE_COUNT {
        let values = chosen.iter().map(|index| of(index).features[feature]);
        columns.push(Arc::new(Float64Array::from_iter_values(values)));
    }
    RecordBatch::try_new(TRAINING_ROWS.schema(), columns)
}
