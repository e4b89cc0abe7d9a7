//! The columns of feature vectors held in memory, each found and known by its type once.

use arrow::array::{Array, AsArray, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use kycc_domain::catalogue::{FEATURE_COUNT, FEATURES, confidences};

#[derive(Debug)]
pub(super) struct Columns {
    values: [Float64Array; FEATURE_COUNT],
    months_present: Int64Array,
    /// Position of `transaction_count_6m`.
    transactions: usize,
}

/// One row: a value and its confidence per feature of the catalogue.
pub(super) type Row = [(f64, f64); FEATURE_COUNT];

impl Columns {
    /// # Panics
    /// If the rows are not of the dataset: that is a mistake in the program.
    pub(super) fn of(rows: &RecordBatch) -> Self {
        let column = |name: &str| -> &dyn Array {
            let found = rows.column_by_name(name);
            found.expect("a version read whole has every column of its dataset")
        };
        let transactions = FEATURES
            .iter()
            .position(|spec| spec.name == "transaction_count_6m");
        Self {
            values: FEATURES
                .each_ref()
                .map(|spec| column(spec.name).as_primitive::<Float64Type>().clone()),
            months_present: column("months_present").as_primitive::<Int64Type>().clone(),
            transactions: transactions.expect("the catalogue has it"),
        }
    }

    pub(super) fn row(&self, at: usize) -> Row {
        let months = u32::try_from(self.months_present.value(at)).unwrap_or(0);
        let any = self.values[self.transactions].value(at) > 0.0;
        let confidences = confidences(months, any);
        std::array::from_fn(|feature| (self.values[feature].value(at), confidences[feature]))
    }
}
