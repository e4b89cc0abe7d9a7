//! Parquet files: the schema is checked first, then batches of rows go the way of all records.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::block::{Block, Content, Layout, Origin};
use super::delimited::layout;
use super::error::ReadError;
use crate::core::table::Table;
use crate::core::value::Value;

const BATCH_ROWS: usize = 4_096;

pub(crate) struct Columnar {
    reader: ParquetRecordBatchReader,
    file: u32,
    name: String,
    table: Table,
    layout: Layout,
    row: u64,
    rows: u64,
    file_bytes: u64,
}

impl Columnar {
    pub(crate) fn new(
        source: File,
        file: u32,
        name: &str,
        table: Table,
    ) -> Result<Self, ReadError> {
        let parquet = |source| ReadError::Parquet {
            file: name.to_owned(),
            source,
        };
        let io = |source| ReadError::Io {
            file: name.to_owned(),
            source,
        };
        let file_bytes = source.metadata().map_err(io)?.len();
        let builder = ParquetRecordBatchReaderBuilder::try_new(source).map_err(parquet)?;
        let layout = checked_layout(name, table, builder.schema())?;
        let known = (0..layout.len()).filter(|index| layout[*index].is_ok());
        let mask = ProjectionMask::roots(builder.parquet_schema(), known);
        let rows = builder.metadata().file_metadata().num_rows();
        let reader = builder
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(parquet)?;
        Ok(Self {
            reader,
            file,
            name: name.to_owned(),
            table,
            layout,
            row: 0,
            rows: u64::try_from(rows).unwrap_or(0),
            file_bytes,
        })
    }

    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        let Some(batch) = self.reader.next() else {
            return Ok(None);
        };
        let file = &self.name;
        let batch = batch.map_err(|source| ReadError::Decode {
            file: file.clone(),
            row: self.row,
            source,
        })?;
        let first_row = self.row + 1;
        self.row += batch.num_rows() as u64;
        let share = self.row as f64 / self.rows.max(1) as f64;
        Ok(Some(Block {
            file: self.file,
            origin: Origin::Table(self.table),
            bytes_read: (self.file_bytes as f64 * share) as u64,
            content: Content::Columns {
                batch,
                layout: Arc::clone(&self.layout),
                first_row,
            },
        }))
    }
}

fn checked_layout(name: &str, table: Table, schema: &SchemaRef) -> Result<Layout, ReadError> {
    let names: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let layout = layout(name, table, &names)?;
    for (field, place) in schema.fields().iter().zip(layout.iter()) {
        let wanted = Wanted::of(field.name());
        if place.is_ok() && !wanted.accepts(field.data_type()) {
            return Err(ReadError::WrongColumn {
                file: name.to_owned(),
                column: field.name().clone(),
                found: field.data_type().to_string(),
                expected: wanted.words(),
            });
        }
    }
    Ok(layout)
}

/// What a field's column may hold.
#[derive(Clone, Copy)]
enum Wanted {
    Text,
    Flag,
    Amount,
    Time,
    Days,
}

impl Wanted {
    fn of(field: &str) -> Self {
        match field {
            "kyc_verified" | "will_default" => Self::Flag,
            "amount" | "balance" => Self::Amount,
            "created_at" | "ts" | "established_date" | "occurred_at" => Self::Time,
            "days_past_due" => Self::Days,
            _ => Self::Text,
        }
    }

    fn accepts(self, found: &DataType) -> bool {
        match self {
            _ if found.is_null() => true,
            Self::Text => is_text(found),
            Self::Flag => matches!(found, DataType::Boolean) || is_integer(found),
            Self::Amount => {
                is_integer(found)
                    || matches!(found, DataType::Float32 | DataType::Float64)
                    || matches!(found, DataType::Decimal128(_, scale) if *scale >= 0)
            }
            Self::Time => {
                is_text(found)
                    || matches!(
                        found,
                        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
                    )
            }
            Self::Days => is_integer(found),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Flag => "a boolean or an integer",
            Self::Amount => "a decimal, an integer or a double",
            Self::Time => "a timestamp, a date or text",
            Self::Days => "an integer",
        }
    }
}

fn is_text(found: &DataType) -> bool {
    match found {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Every integer that fits an i64 whatever its value.
fn is_integer(found: &DataType) -> bool {
    found.is_integer() && *found != DataType::UInt64
}

/// A column in one of the shapes that values are made from.
pub(crate) enum Column {
    Null,
    Text(StringArray),
    Flag(BooleanArray),
    Integer(Int64Array),
    Float(Float64Array),
    Decimal {
        values: Decimal128Array,
        scale: i8,
    },
    /// Multiplied or divided, a value becomes microseconds.
    Time {
        values: Int64Array,
        times: i64,
        per: i64,
    },
}

impl Column {
    pub(crate) fn of(column: &ArrayRef) -> Result<Self, arrow::error::ArrowError> {
        let integers = |of: &ArrayRef| {
            cast(of, &DataType::Int64).map(|c| c.as_primitive::<Int64Type>().clone())
        };
        Ok(match column.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Flag(column.as_boolean().clone()),
            DataType::Float32 | DataType::Float64 => {
                Self::Float(cast(column, &DataType::Float64)?.as_primitive().clone())
            }
            DataType::Decimal128(_, scale) => Self::Decimal {
                values: column.as_primitive().clone(),
                scale: *scale,
            },
            DataType::Timestamp(unit, _) => {
                let (times, per) = match unit {
                    TimeUnit::Second => (1_000_000, 1),
                    TimeUnit::Millisecond => (1_000, 1),
                    TimeUnit::Microsecond => (1, 1),
                    TimeUnit::Nanosecond => (1, 1_000),
                };
                Self::Time {
                    values: integers(column)?,
                    times,
                    per,
                }
            }
            DataType::Date32 => {
                let days = cast(column, &DataType::Int32)?;
                Self::Time {
                    values: integers(&days)?,
                    times: 86_400_000_000,
                    per: 1,
                }
            }
            DataType::Date64 => Self::Time {
                values: integers(column)?,
                times: 1_000,
                per: 1,
            },
            kind if is_integer(kind) => Self::Integer(integers(column)?),
            _ => Self::Text(cast(column, &DataType::Utf8)?.as_string().clone()),
        })
    }

    pub(crate) fn value(&self, row: usize) -> Value<'_> {
        match self {
            Self::Text(values) if values.is_valid(row) => Value::Text(values.value(row).into()),
            Self::Flag(values) if values.is_valid(row) => Value::Bool(values.value(row)),
            Self::Integer(values) if values.is_valid(row) => {
                Value::Number(values.value(row).to_string().into())
            }
            // The shortest text that reads back as the same double: what a JSON writer would have written.
            Self::Float(values) if values.is_valid(row) => {
                Value::Number(values.value(row).to_string().into())
            }
            Self::Decimal { values, scale } if values.is_valid(row) => Value::Decimal {
                unscaled: values.value(row),
                scale: *scale,
            },
            Self::Time { values, times, per } if values.is_valid(row) => {
                Value::Time(values.value(row).saturating_mul(*times).div_euclid(*per))
            }
            _ => Value::Null,
        }
    }
}

/// The columns of a batch that the table has, each with its field.
pub(crate) fn columns(
    batch: &RecordBatch,
    layout: &Layout,
) -> Result<Vec<(usize, Column)>, arrow::error::ArrowError> {
    let fields = layout.iter().filter_map(|place| place.as_ref().ok());
    fields
        .zip(batch.columns())
        .map(|(field, column)| Ok((*field, Column::of(column)?)))
        .collect()
}
