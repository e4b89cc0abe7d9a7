//! Parquet into columns: numbers, booleans and decimals as f64, strings as text; other types are named, not read.

use std::fs::File;

use arrow::array::{Array, Float64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::column::{Column, TextsBuilder, Values, is_missing};
use super::{Numbering, Place, Table};
use crate::error::WorkbenchError;

const BATCH_ROWS: usize = 64 * 1024;

pub(super) fn read(file: File, source: String) -> Result<Table, WorkbenchError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| refused(&source, ArrowError::from(error)))?;
    let schema = builder.schema().fields().clone();
    let kinds: Vec<Kind> = schema.iter().map(|f| Kind::of(f.data_type())).collect();
    let read: Vec<usize> = (0..kinds.len())
        .filter(|index| kinds[*index] != Kind::Unread)
        .collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), read.iter().copied());
    let batches = builder
        .with_batch_size(BATCH_ROWS)
        .with_projection(mask)
        .build()
        .map_err(|error| refused(&source, ArrowError::from(error)))?;

    let mut collected: Vec<Collected> = read.iter().map(|i| Collected::new(kinds[*i])).collect();
    let mut rows = 0;
    for batch in batches {
        let batch = batch.map_err(|error| refused(&source, error))?;
        for ((column, array), index) in collected.iter_mut().zip(batch.columns()).zip(&read) {
            column
                .take(array.as_ref(), rows)
                .map_err(|fault| fault.at(&source, schema[*index].name()))?;
        }
        rows += batch.num_rows();
    }

    let mut collected = collected.into_iter();
    let columns = schema
        .iter()
        .zip(kinds)
        .map(|(field, kind)| Column {
            name: field.name().clone(),
            values: match kind {
                Kind::Unread => Values::Unread(field.data_type().to_string()),
                _ => collected
                    .next()
                    .map_or_else(|| Values::Unread(String::new()), Collected::finish),
            },
        })
        .collect();
    Table::new(source, rows, columns, Numbering::Rows)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Unread,
}

impl Kind {
    fn of(kind: &DataType) -> Self {
        match kind {
            DataType::Boolean | DataType::Null => Self::Number,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Dictionary(_, values) => Self::of(values),
            // Decimals count as numeric.
            kind if kind.is_numeric() => Self::Number,
            _ => Self::Unread,
        }
    }
}

enum Collected {
    Numbers(Vec<f64>),
    Texts(TextsBuilder, Option<usize>),
}

/// Why a column could not be taken over.
enum Fault {
    Arrow(ArrowError),
    Infinite { row: usize, value: f64 },
}

impl Fault {
    fn at(self, source: &str, column: &str) -> WorkbenchError {
        match self {
            Self::Arrow(error) => refused(source, error),
            Self::Infinite { row, value } => WorkbenchError::NotANumber {
                file: source.to_owned(),
                column: column.to_owned(),
                place: Place::Row(row as u64 + 1),
                value: value.to_string(),
            },
        }
    }
}

impl Collected {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Texts(TextsBuilder::default(), None),
            _ => Self::Numbers(Vec::new()),
        }
    }

    /// Appends a batch that begins at row `from`.
    fn take(&mut self, array: &dyn Array, from: usize) -> Result<(), Fault> {
        match self {
            Self::Numbers(numbers) => {
                let array = cast(array, &DataType::Float64).map_err(Fault::Arrow)?;
                let array = array.as_any().downcast_ref::<Float64Array>();
                for value in array.into_iter().flatten() {
                    let value = value.unwrap_or(f64::NAN);
                    if value.is_infinite() {
                        let row = numbers.len();
                        return Err(Fault::Infinite { row, value });
                    }
                    numbers.push(value);
                }
            }
            Self::Texts(texts, first) => {
                let array = cast(array, &DataType::Utf8).map_err(Fault::Arrow)?;
                let array = array.as_any().downcast_ref::<StringArray>();
                for (row, value) in array.into_iter().flatten().enumerate() {
                    let value = value.map(str::trim).filter(|text| !is_missing(text));
                    if value.is_some() && first.is_none() {
                        *first = Some(from + row);
                    }
                    texts.push(value);
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Values {
        match self {
            Self::Numbers(numbers) => Values::Numbers(numbers),
            Self::Texts(texts, first) => Values::Texts(texts.finish(first.unwrap_or_default())),
        }
    }
}

fn refused(source: &str, cause: ArrowError) -> WorkbenchError {
    WorkbenchError::Parquet {
        file: source.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BooleanArray, Date32Array, Float32Array, Int64Array, RecordBatch,
    };
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn written(columns: Vec<(&str, ArrayRef)>) -> tempfile::NamedTempFile {
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer =
            ArrowWriter::try_new(file.reopen().unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        file
    }

    #[test]
    fn numbers_booleans_and_strings_are_read_and_other_types_named() {
        let file = written(vec![
            (
                "i",
                Arc::new(Int64Array::from(vec![Some(7), None])) as ArrayRef,
            ),
            ("d", Arc::new(Date32Array::from(vec![1, 2]))),
            ("f", Arc::new(Float32Array::from(vec![0.5, f32::NAN]))),
            ("b", Arc::new(BooleanArray::from(vec![true, false]))),
            ("s", Arc::new(StringArray::from(vec![None, Some("x")]))),
        ]);
        let table = Table::read(file.path(), None).unwrap();
        let i = table.numbers("i").unwrap();
        assert!(i[0] == 7.0 && i[1].is_nan());
        let f = table.numbers("f").unwrap();
        assert!(f[0] == 0.5 && f[1].is_nan());
        assert_eq!(table.numbers("b").unwrap(), [1.0, 0.0]);
        let error = table.numbers("s").unwrap_err().to_string();
        assert!(
            error.contains("row 2") && error.contains("\"x\""),
            "{error}"
        );
        let error = table.numbers("d").unwrap_err().to_string();
        assert!(error.contains("Date32"), "{error}");
    }

    #[test]
    fn an_infinite_number_is_refused_with_its_row() {
        let file = written(vec![(
            "f",
            Arc::new(Float32Array::from(vec![0.5, f32::INFINITY])) as ArrayRef,
        )]);
        let error = Table::read(file.path(), None).unwrap_err().to_string();
        assert!(
            error.contains("row 2") && error.contains("\"f\""),
            "{error}"
        );
    }

    #[test]
    fn a_file_without_rows_is_not_asked_for_a_header_line() {
        let none: Vec<f32> = Vec::new();
        let file = written(vec![("f", Arc::new(Float32Array::from(none)) as ArrayRef)]);
        let error = Table::read(file.path(), None).unwrap_err();
        assert_eq!(error.reason(), "NO_ROWS");
        assert!(!error.to_string().contains("header"), "{error}");
    }

    #[test]
    fn a_file_cut_short_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"PAR1 and nothing else").unwrap();
        let error = Table::read(file.path(), None).unwrap_err();
        assert_eq!(error.reason(), "PARQUET_UNREADABLE");
    }
}
