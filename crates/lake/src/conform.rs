//! From what a step hands over to what its dataset's schema says: columns by name, strings of any Arrow layout.

use crate::error::LakeError;
use crate::spec::DatasetSpec;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt32Type};
use std::sync::Arc;

/// What is wrong with rows given to a writer: a mistake of the step's code, not of its input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowsProblem {
    #[error("column {column:?} is missing")]
    MissingColumn { column: String },
    #[error("column {column:?} is not in the schema")]
    UnknownColumn { column: String },
    #[error("column {column:?} is {found}, the schema says {expected}")]
    ColumnType {
        column: String,
        expected: String,
        found: String,
    },
    #[error("column {column:?} is null at row {row}, the schema says never")]
    Null { column: String, row: u64 },
    #[error(
        "row {row} has {column} {found} after {previous}; rows are written in order of {column}"
    )]
    OutOfOrder {
        column: &'static str,
        row: u64,
        previous: u32,
        found: u32,
    },
    #[error(
        "row {row} has {column} {found} where {expected} is next; every party of the shard has one row, in order"
    )]
    NotDense {
        column: &'static str,
        row: u64,
        expected: u32,
        found: u32,
    },
    #[error("only tables with one row per party can be made in shards")]
    NotSharded,
    #[error("shard {index} of {count} does not exist")]
    ShardIndex { index: u32, count: u32 },
    #[error(
        "the shard starts at ordinal {found}, which is not a multiple of {block}; cut shards with `shard::ordinals`"
    )]
    ShardStart { found: u32, block: usize },
}

/// The batch in the dataset's own schema. Rows are counted within the batch.
pub(crate) fn conform(
    spec: &DatasetSpec,
    batch: &RecordBatch,
    path: &str,
) -> Result<RecordBatch, LakeError> {
    let refuse = |problem| LakeError::Rows {
        path: path.to_owned(),
        problem,
    };
    let schema = spec.schema();
    if let Some(field) = batch
        .schema_ref()
        .fields()
        .iter()
        .find(|field| schema.field_with_name(field.name()).is_err())
    {
        return Err(refuse(RowsProblem::UnknownColumn {
            column: field.name().clone(),
        }));
    }
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let column = batch.column_by_name(field.name()).ok_or_else(|| {
            refuse(RowsProblem::MissingColumn {
                column: field.name().clone(),
            })
        })?;
        let wrong_type = || {
            refuse(RowsProblem::ColumnType {
                column: field.name().clone(),
                expected: field.data_type().to_string(),
                found: column.data_type().to_string(),
            })
        };
        let column = if column.data_type() == field.data_type() {
            Arc::clone(column)
        } else if same_meaning(column.data_type(), field.data_type()) {
            cast(column, field.data_type()).map_err(|_| wrong_type())?
        } else {
            return Err(wrong_type());
        };
        if !field.is_nullable() && column.null_count() > 0 {
            let row = (0..column.len()).find(|row| column.is_null(*row));
            return Err(refuse(RowsProblem::Null {
                column: field.name().clone(),
                row: row.unwrap_or_default() as u64,
            }));
        }
        columns.push(column);
    }
    Ok(RecordBatch::try_new(schema, columns).expect("columns were checked against the schema"))
}

/// Layouts of one logical type; numbers are never converted into each other here.
fn same_meaning(found: &DataType, expected: &DataType) -> bool {
    use DataType as D;
    match (found, expected) {
        (D::Dictionary(_, value), expected) => {
            **value == *expected || same_meaning(value, expected)
        }
        (D::Utf8View | D::LargeUtf8, D::Utf8) => true,
        (D::Timestamp(..), D::Timestamp(..)) => true,
        (
            D::List(found) | D::LargeList(found) | D::ListView(found) | D::LargeListView(found),
            D::List(expected),
        ) => {
            found.data_type() == expected.data_type()
                || same_meaning(found.data_type(), expected.data_type())
        }
        _ => false,
    }
}

/// Checks that ordinals only rise, and for tables with one row per party that none is left out.
#[derive(Debug, Default)]
pub(crate) struct OrdinalCheck {
    rows: u64,
    first: Option<u32>,
    last: Option<u32>,
}

impl OrdinalCheck {
    pub(crate) fn first(&self) -> Option<u32> {
        self.first
    }

    pub(crate) fn push(
        &mut self,
        spec: &DatasetSpec,
        batch: &RecordBatch,
    ) -> Result<(), RowsProblem> {
        let Some(column) = spec.ordinal else {
            return Ok(());
        };
        let ordinals = batch
            .column_by_name(column)
            .expect("the batch conforms to the schema")
            .as_primitive::<UInt32Type>();
        for &found in ordinals.values() {
            let row = self.rows;
            match self.last {
                Some(previous) if spec.per_party && found != previous + 1 => {
                    let expected = previous + 1;
                    return Err(RowsProblem::NotDense {
                        column,
                        row,
                        expected,
                        found,
                    });
                }
                Some(previous) if found < previous => {
                    return Err(RowsProblem::OutOfOrder {
                        column,
                        row,
                        previous,
                        found,
                    });
                }
                _ => {}
            }
            self.first.get_or_insert(found);
            self.last = Some(found);
            self.rows += 1;
        }
        Ok(())
    }
}
