//! One column of a user's file as the schema wants it, or which row and value stands against it.

use crate::error::ImportProblem;
use crate::scan::names;
use crate::spec::DatasetSpec;
use arrow::array::{
    Array, ArrayRef, AsArray, Float64Builder, ListBuilder, RecordBatch, StringArray, StringBuilder,
    new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Float64Type, SchemaRef};
use arrow::util::display::array_value_to_string;
use std::collections::HashSet;
use std::sync::Arc;

/// No column that the dataset lacks, none twice, and every required one (but `party_ord` where it is to be assigned).
pub(super) fn check_names(
    spec: &'static DatasetSpec,
    found: &SchemaRef,
    numbered: bool,
) -> Result<(), ImportProblem> {
    let schema = spec.schema();
    let mut seen = HashSet::new();
    for field in found.fields() {
        let column = field.name().clone();
        if schema.index_of(&column).is_err() {
            return Err(ImportProblem::UnknownColumn {
                dataset: spec.name,
                column,
                known: names(&schema),
            });
        }
        if !seen.insert(field.name()) {
            return Err(ImportProblem::DuplicateColumn { column });
        }
    }
    let missing: Vec<_> = schema
        .fields()
        .iter()
        .filter(|field| !field.is_nullable() && !seen.contains(field.name()))
        .map(|field| field.name().as_str())
        .filter(|name| !(numbered && *name == "party_ord"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ImportProblem::MissingColumns {
        dataset: spec.name,
        columns: missing.join(", "),
    })
}

/// Names must have been checked.
pub(super) fn cast(field: &Field, rows: &RecordBatch) -> Result<ArrayRef, ImportProblem> {
    let Some(found) = rows.column_by_name(field.name()) else {
        return Ok(new_null_array(field.data_type(), rows.num_rows()));
    };
    let found = blank_is_null(found);
    let column = match (found.data_type(), field.data_type()) {
        (found_type, wanted) if found_type == wanted => Arc::clone(&found),
        (DataType::Utf8, DataType::List(item)) => {
            lists(field, item.data_type(), found.as_string())?
        }
        (found_type, wanted) if found_type.is_floating() && wanted.is_integer() => {
            return Err(wrong_type(field, found_type));
        }
        (found_type, wanted) => cast_with_options(&found, wanted, &CastOptions::default())
            .map_err(|_| wrong_type(field, found_type))?,
    };
    check_values(field, &found, &column)?;
    Ok(column)
}

/// The default cast makes null of what it cannot read; that, a missing value, or a number that is none, is an error.
fn check_values(field: &Field, found: &ArrayRef, column: &ArrayRef) -> Result<(), ImportProblem> {
    let floats = column.as_primitive_opt::<Float64Type>();
    for row in 0..column.len() {
        let at = row as u64 + 1;
        let unreadable = found.is_valid(row) && column.is_null(row);
        let infinite = floats.is_some_and(|f| f.is_valid(row) && !f.value(row).is_finite());
        if unreadable || infinite || too_fine(field, found, row) {
            return Err(value_problem(
                field,
                at,
                &array_value_to_string(found, row).unwrap_or_default(),
            ));
        }
        if !field.is_nullable() && column.is_null(row) {
            return Err(ImportProblem::Missing {
                row: at,
                column: field.name().clone(),
            });
        }
    }
    Ok(())
}

/// Text with more decimals than the column keeps; it would be rounded.
fn too_fine(field: &Field, found: &ArrayRef, row: usize) -> bool {
    let (DataType::Decimal128(_, scale), Some(texts)) =
        (field.data_type(), found.as_string_opt::<i32>())
    else {
        return false;
    };
    let decimals = |text: &str| text.trim().split_once('.').map_or(0, |(_, d)| d.len());
    texts.is_valid(row) && decimals(texts.value(row)) > usize::from(scale.unsigned_abs())
}

fn blank_is_null(column: &ArrayRef) -> ArrayRef {
    match column.as_string_opt::<i32>() {
        Some(texts) if texts.iter().flatten().any(|text| text.trim().is_empty()) => {
            let kept = texts
                .iter()
                .map(|text| text.filter(|text| !text.trim().is_empty()));
            Arc::new(kept.collect::<StringArray>())
        }
        _ => Arc::clone(column),
    }
}

/// Lists are JSON arrays in text files: `["a","b"]`.
fn lists(field: &Field, item: &DataType, texts: &StringArray) -> Result<ArrayRef, ImportProblem> {
    fn parse<T: serde::de::DeserializeOwned>(
        field: &Field,
        texts: &StringArray,
    ) -> Result<Vec<Option<Vec<T>>>, ImportProblem> {
        let row = |(row, text): (usize, Option<&str>)| {
            text.map(|text| {
                serde_json::from_str(text).map_err(|_| value_problem(field, row as u64 + 1, text))
            })
            .transpose()
        };
        texts.iter().enumerate().map(row).collect()
    }
    Ok(if *item == DataType::Float64 {
        let mut list = ListBuilder::new(Float64Builder::new());
        for row in parse::<f64>(field, texts)? {
            list.append_option(row.map(|items| items.into_iter().map(Some)));
        }
        Arc::new(list.finish())
    } else {
        let mut list = ListBuilder::new(StringBuilder::new());
        for row in parse::<String>(field, texts)? {
            list.append_option(row.map(|items| items.into_iter().map(Some)));
        }
        Arc::new(list.finish())
    })
}

fn value_problem(field: &Field, row: u64, value: &str) -> ImportProblem {
    ImportProblem::Value {
        row,
        column: field.name().clone(),
        value: value.chars().take(100).collect(),
        expected: expected(field.data_type()),
    }
}

fn wrong_type(field: &Field, found: &DataType) -> ImportProblem {
    ImportProblem::ColumnType {
        column: field.name().clone(),
        expected: expected(field.data_type()),
        found: found.to_string(),
    }
}

fn expected(data_type: &DataType) -> String {
    match data_type {
        DataType::UInt32 | DataType::UInt64 => "a whole number, not negative".into(),
        DataType::Int32 | DataType::Int64 => "a whole number".into(),
        DataType::Float64 => "a finite number".into(),
        DataType::Decimal128(_, scale) => format!("an amount with at most {scale} decimals"),
        DataType::Boolean => "true or false".into(),
        DataType::Timestamp(..) => "a time such as 2026-11-24T07:16:00Z".into(),
        DataType::List(_) => "a list such as [\"a\",\"b\"]".into(),
        _ => "text".into(),
    }
}
