//! From a file's bytes to its columns: typed as the file has them (Parquet), or all text (CSV, NDJSON).

use crate::error::ImportProblem;
use crate::spec::DatasetSpec;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::compute::concat_batches;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::Arc;

pub(super) fn read(
    path: &Path,
    bytes: Vec<u8>,
    spec: &'static DatasetSpec,
) -> Result<RecordBatch, ImportProblem> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("parquet") => parquet(bytes),
        Some("csv") => csv(&bytes),
        Some("ndjson" | "jsonl") => ndjson(&bytes, spec),
        _ => Err(ImportProblem::Format),
    }
}

fn unreadable(error: impl std::fmt::Display) -> ImportProblem {
    ImportProblem::Unreadable {
        reason: error.to_string(),
    }
}

fn parquet(bytes: Vec<u8>) -> Result<RecordBatch, ImportProblem> {
    let file = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).map_err(unreadable)?;
    let reader = file.build().map_err(unreadable)?;
    let schema = arrow::array::RecordBatchReader::schema(&reader);
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    concat_batches(&schema, &batches).map_err(unreadable)
}

fn csv(bytes: &[u8]) -> Result<RecordBatch, ImportProblem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let format = Format::default().with_header(true);
    let (header, _) = format.infer_schema(bytes, Some(0)).map_err(unreadable)?;
    let text = |field: &Arc<Field>| Field::new(field.name().trim(), DataType::Utf8, true);
    let schema = Arc::new(Schema::new(
        header.fields().iter().map(text).collect::<Vec<_>>(),
    ));
    let reader = arrow::csv::ReaderBuilder::new(Arc::clone(&schema))
        .with_format(format)
        .build(bytes)
        .map_err(unreadable)?;
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    concat_batches(&schema, &batches).map_err(unreadable)
}

/// Columns are those of the dataset that some line has; a field that the dataset lacks is refused at once.
fn ndjson(bytes: &[u8], spec: &'static DatasetSpec) -> Result<RecordBatch, ImportProblem> {
    let schema = spec.schema();
    let mut texts: Vec<Vec<Option<String>>> = vec![Vec::new(); schema.fields().len()];
    let mut seen = vec![false; schema.fields().len()];
    let mut rows = 0;
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    for (line, bytes) in lines.filter(|(_, bytes)| !bytes.trim_ascii().is_empty()) {
        let row = line as u64 + 1;
        let record: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|e| ImportProblem::Row {
                row,
                reason: format!("not a JSON object on one line: {e}"),
            })?;
        for column in &mut texts {
            column.push(None);
        }
        for (name, value) in record {
            let index = schema
                .index_of(&name)
                .map_err(|_| ImportProblem::UnknownColumn {
                    dataset: spec.name,
                    column: name,
                    known: crate::scan::names(&schema),
                })?;
            seen[index] = true;
            texts[index][rows] = cell(value);
        }
        rows += 1;
    }
    let found = schema
        .fields()
        .iter()
        .zip(texts)
        .zip(seen)
        .filter(|(_, seen)| *seen);
    let (fields, columns): (Vec<_>, Vec<ArrayRef>) = found
        .map(|((field, texts), _)| {
            let column: ArrayRef = Arc::new(StringArray::from(texts));
            (Field::new(field.name(), DataType::Utf8, true), column)
        })
        .unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(unreadable)
}

fn cell(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}
