//! The rows that a model learned from and was judged on, read back from the lake.

use arrow::array::{AsArray, Float64Array};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType};
use kycc_domain::catalogue::{FEATURE_COUNT, FEATURES};
use kycc_lake::datasets::TRAINING_ROWS;
use kycc_runtime::{TaskContext, TaskError};

use crate::core::draft::Rows;

/// Training and holdout rows, in the order of the dataset.
pub(crate) async fn read(cx: &TaskContext) -> Result<(Rows, Rows), TaskError> {
    let fixed = ["bad", "source", "weight", "part", "t0"];
    let names: Vec<&str> = fixed
        .into_iter()
        .chain(FEATURES.iter().map(|spec| spec.name))
        .collect();
    let table = cx
        .lake()
        .read(&cx.input(TRAINING_ROWS.name)?, Some(&names), None)
        .await?;
    let bad = table.column(0).as_boolean();
    let source = table.column(1).as_string::<i32>();
    let weight = table.column(2).as_primitive::<Float64Type>();
    let part = table.column(3).as_string::<i32>();
    let t0 = table.column(4).as_primitive::<TimestampMicrosecondType>();
    let columns: [&Float64Array; FEATURE_COUNT] = std::array::from_fn(|feature| {
        table
            .column(fixed.len() + feature)
            .as_primitive::<Float64Type>()
    });
    let (mut train, mut holdout) = (Rows::default(), Rows::default());
    for row in 0..table.num_rows() {
        let rows = if part.value(row) == "train" {
            &mut train
        } else {
            &mut holdout
        };
        rows.features.push(columns.map(|column| column.value(row)));
        rows.bad.push(bad.value(row));
        rows.observed.push(source.value(row) == "observed");
        rows.weights.push(weight.value(row));
        rows.t0_micros.push(t0.value(row));
    }
    Ok((train, holdout))
}
