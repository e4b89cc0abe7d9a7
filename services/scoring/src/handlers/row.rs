//! One row of a table held in memory, by column name.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type};

/// Columns of numbers or text, whose types the dataset's schema promises.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) rows: &'a RecordBatch,
    pub(crate) at: usize,
}

impl<'a> Row<'a> {
    fn column(&self, name: &str) -> &'a dyn Array {
        self.rows
            .column_by_name(name)
            .expect("a version read whole has every column of its dataset")
    }

    pub(crate) fn text(&self, name: &str) -> &'a str {
        self.column(name).as_string::<i32>().value(self.at)
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.column(name)
            .as_primitive::<Float64Type>()
            .value(self.at)
    }

    pub(crate) fn optional_number(&self, name: &str) -> Option<f64> {
        let column = self.column(name);
        column
            .is_valid(self.at)
            .then(|| column.as_primitive::<Float64Type>().value(self.at))
    }

    pub(crate) fn whole(&self, name: &str) -> i32 {
        self.column(name).as_primitive::<Int32Type>().value(self.at)
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let list = self.column(name).as_list::<i32>().value(self.at);
        list.as_string::<i32>()
            .iter()
            .flatten()
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        let list = self.column(name).as_list::<i32>().value(self.at);
        list.as_primitive::<Float64Type>().values().to_vec()
    }
}
