//! Parquet into columns: numbers, booleans and decimals as f64, strings as text; other types are named, not read.

use std::fs::File;

use arrow::array::{Array, Float64Array, StringArray};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::column::{Column, TextsBuilder, Values, is_missing};
use super::{Ids, Numbering, Place, Table};
use crate::error::WorkbenchError;
use crate::printable::printable;
use crate::significant::exact;

const BATCH_ROWS: usize = 64 * 1024;

pub(super) fn read(file: File, source: String, id: Option<&str>) -> Result<Table, WorkbenchError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| refused(&source, ArrowError::from(error)))?;
    let schema = builder.schema().fields().clone();
    let kinds: Vec<Kind> = schema.iter().map(|f| Kind::of(f.data_type())).collect();
    let mut ids = id
        .and_then(|id| schema.iter().position(|field| field.name() == id))
        .map(IdColumn::of);
    if let Some(ids) = &ids {
        ids.check(&source, &schema[ids.at])?;
    }
    let read: Vec<usize> = (0..kinds.len())
        .filter(|i| kinds[*i] != Kind::Unread || ids.as_ref().is_some_and(|ids| ids.at == *i))
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
            if let Some(ids) = ids.as_mut().filter(|ids| ids.at == *index) {
                ids.take(array.as_ref())
                    .map_err(|error| refused(&source, error))?;
            }
            if kinds[*index] != Kind::Unread {
                column
                    .take(array.as_ref(), rows)
                    .map_err(|fault| fault.at(&source, schema[*index].name()))?;
            }
        }
        rows += batch.num_rows();
    }

    let mut columns: Vec<Column> = schema
        .iter()
        .map(|field| Column {
            name: field.name().clone(),
            values: Values::Unread(field.data_type().to_string()),
        })
        .collect();
    for (column, index) in collected.into_iter().zip(read) {
        if kinds[index] != Kind::Unread {
            columns[index].values = column.finish();
        }
    }
    let ids = ids.map(|ids| Ids {
        column: schema[ids.at].name().clone(),
        texts: ids.texts,
    });
    let table = Table::new(source, rows, columns, Numbering::Rows)?;
    Ok(Table { ids, ..table })
}

/// The column of ids as text.
struct IdColumn {
    at: usize,
    texts: Vec<Box<str>>,
}

impl IdColumn {
    fn of(at: usize) -> Self {
        Self {
            at,
            texts: Vec::new(),
        }
    }

    fn check(&self, source: &str, field: &Field) -> Result<(), WorkbenchError> {
        if can_cast_types(field.data_type(), &DataType::Utf8) {
            return Ok(());
        }
        Err(WorkbenchError::UnreadType {
            file: source.to_owned(),
            column: field.name().clone(),
            kind: printable(&field.data_type().to_string()),
        })
    }

    fn take(&mut self, array: &dyn Array) -> Result<(), ArrowError> {
        if array.data_type().is_floating() {
            // Whole numbers that had to make room for a missing one are written without ".0".
            let numbers = cast(array, &DataType::Float64)?;
            let numbers = numbers.as_any().downcast_ref::<Float64Array>();
            let numbers = numbers.into_iter().flatten();
            let text = |v: Option<f64>| v.filter(|v| !v.is_nan()).map(exact).unwrap_or_default();
            self.texts.extend(numbers.map(|v| text(v).into()));
        } else {
            let texts = cast(array, &DataType::Utf8)?;
            let texts = texts.as_any().downcast_ref::<StringArray>();
            let texts = texts.into_iter().flatten();
            self.texts
                .extend(texts.map(|t| t.unwrap_or_default().into()));
        }
        Ok(())
    }
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
        ArrayRef, BooleanArray, Date32Array, Float32Array, Int64Array, ListArray, RecordBatch,
        UInt64Array,
    };
    use arrow::datatypes::Int64Type;
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
    fn ids_are_kept_to_the_last_digit_whatever_their_type() {
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1)]), None]);
        let file = written(vec![
            (
                "i",
                Arc::new(Int64Array::from(vec![Some(i64::MAX - 1), None])) as ArrayRef,
            ),
            (
                "u",
                Arc::new(UInt64Array::from(vec![u64::MAX, u64::MAX - 1])),
            ),
            ("s", Arc::new(StringArray::from(vec![" 007", "NA"]))),
            ("d", Arc::new(Date32Array::from(vec![0, 1]))),
            ("f", Arc::new(Float32Array::from(vec![7.0, f32::NAN]))),
            ("list", Arc::new(list)),
        ]);
        for (id, first, second) in [
            ("i", "9223372036854775806", ""),
            ("u", "18446744073709551615", "18446744073709551614"),
            ("s", " 007", "NA"),
            ("d", "1970-01-01", "1970-01-02"),
            ("f", "7", ""),
        ] {
            let table = Table::read_with_ids(file.path(), None, Some(id)).unwrap();
            assert_eq!(table.id_text(id, 0), Some(first));
            assert_eq!(table.id_text(id, 1), Some(second));
            assert_eq!(table.id_text("other", 0), None);
            assert!(table.numbers("u").is_ok() && table.columns().len() == 6);
        }
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
