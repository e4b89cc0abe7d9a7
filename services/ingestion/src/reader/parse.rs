//! Parses one block: typed rows, rejected records, counts. Runs on any thread; knows nothing of other blocks.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};

use super::block::{Block, Content, Layout, Origin, Span, Text};
use super::columnar;
use super::error::ReadError;
use crate::core::fault::{Fault, Refused};
use crate::core::rows::{self, Place, Rows};
use crate::core::table::Table;
use crate::core::unknown::UnknownFields;
use crate::core::value::Value;
use crate::core::{csv, json, labels};

/// Characters of a rejected record that are kept.
const RECORD_CHARS: usize = 1_000;

/// A record that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reject {
    pub(crate) table: Table,
    pub(crate) place: Place,
    pub(crate) fault: Fault,
    pub(crate) record: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Parsed {
    /// None for an array that no table has.
    pub(crate) table: Option<Table>,
    pub(crate) file: u32,
    pub(crate) columns: Vec<ArrayRef>,
    pub(crate) rows: usize,
    pub(crate) read: u64,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) unknown: UnknownFields,
    pub(crate) bytes_read: u64,
}

/// Judges JSON records as [`parse`] does, and keeps nothing of them but what is wrong.
pub(crate) fn check(table: Table, text: &Text, name: &str) -> Result<Vec<Reject>, ReadError> {
    let mut parser = Parser::new(table, 0, name);
    parser.json(text)?;
    Ok(parser.rejects)
}

/// Fails only for what refuses the whole input.
pub(crate) fn parse(block: Block, files: &[String]) -> Result<Parsed, ReadError> {
    let file = &files[block.file as usize];
    let table = match &block.origin {
        Origin::Table(table) => *table,
        Origin::Other(name) => return other(&block, name, file),
    };
    let mut parser = Parser::new(table, block.file, file);
    match block.content {
        Content::Json(text) => parser.json(&text)?,
        Content::Csv { text, layout } => parser.csv(&text, &layout),
        Content::Columns {
            batch,
            layout,
            first_row,
        } => parser.columns(&batch, &layout, first_row)?,
    }
    Ok(Parsed {
        table: Some(table),
        file: block.file,
        columns: parser.rows.finish(),
        rows: parser.appended,
        read: parser.read,
        rejects: parser.rejects,
        unknown: parser.unknown,
        bytes_read: block.bytes_read,
    })
}

/// Elements that no table has: an outcome among them refuses the input, for the rest they are left out.
fn other(block: &Block, name: &Arc<str>, file: &str) -> Result<Parsed, ReadError> {
    if let Content::Json(text) = &block.content {
        for span in &text.records {
            let found = std::str::from_utf8(bytes_of(text, *span))
                .ok()
                .and_then(|element| labels::outcome_within(element).ok().flatten());
            if let Some(field) = found {
                let index = text.first_row + u64::from(span.row) - 1;
                let place = format!("{name}[{index}]");
                return Err(ReadError::OutcomeInProfiles {
                    file: file.to_owned(),
                    place,
                    field,
                });
            }
        }
    }
    Ok(Parsed {
        table: None,
        file: block.file,
        columns: Vec::new(),
        rows: 0,
        read: 0,
        rejects: Vec::new(),
        unknown: UnknownFields::default(),
        bytes_read: block.bytes_read,
    })
}

fn bytes_of(text: &Text, span: Span) -> &[u8] {
    &text.bytes[span.start as usize..span.end as usize]
}

struct Parser<'a> {
    table: Table,
    file: u32,
    name: &'a str,
    /// Number of fields.
    values: usize,
    rows: Box<dyn Rows>,
    appended: usize,
    read: u64,
    rejects: Vec<Reject>,
    unknown: UnknownFields,
}

impl<'a> Parser<'a> {
    fn new(table: Table, file: u32, name: &'a str) -> Self {
        Self {
            table,
            file,
            name,
            values: table.fields().len(),
            rows: rows::rows(table),
            appended: 0,
            read: 0,
            rejects: Vec::new(),
            unknown: UnknownFields::default(),
        }
    }

    fn json(&mut self, text: &Text) -> Result<(), ReadError> {
        let mut values = vec![Value::Absent; self.values];
        for span in &text.records {
            let bytes = bytes_of(text, *span);
            let row = text.first_row + u64::from(span.row);
            let record = match utf8(bytes) {
                Ok(record) => record,
                Err(fault) => {
                    self.reject(row, fault, Some(bytes));
                    continue;
                }
            };
            match json::record(record, self.table, &mut values, &mut self.unknown) {
                Ok(()) => self.push(row, &values, Some(bytes)),
                Err(Refused::Record(fault)) => self.reject(row, fault, Some(bytes)),
                Err(Refused::Outcome { field }) => {
                    let place = if text.indexed {
                        format!("{}[{}]", self.table, row - 1)
                    } else {
                        format!("line {row}")
                    };
                    let file = self.name.to_owned();
                    return Err(ReadError::OutcomeInProfiles { file, place, field });
                }
            }
        }
        Ok(())
    }

    fn csv(&mut self, text: &Text, layout: &Layout) {
        let mut values = vec![Value::Absent; self.values];
        for span in &text.records {
            let bytes = bytes_of(text, *span);
            let row = text.first_row + u64::from(span.row);
            values.fill(Value::Absent);
            let split = utf8(bytes).and_then(|record| {
                let count = csv::fields(record, |index, field| {
                    if let Some(Ok(place)) = layout.get(index) {
                        values[*place] = Value::Bare(field);
                    }
                })?;
                if count == layout.len() {
                    return Ok(());
                }
                let reason = format!("{count} fields, but the header names {}", layout.len());
                Err(Fault::whole("INVALID_CSV", reason))
            });
            match split {
                Ok(()) => self.push(row, &values, Some(bytes)),
                Err(fault) => self.reject(row, fault, Some(bytes)),
            }
        }
        self.count_unknown(layout);
    }

    fn columns(
        &mut self,
        batch: &RecordBatch,
        layout: &Layout,
        first_row: u64,
    ) -> Result<(), ReadError> {
        let columns = columnar::columns(batch, layout).map_err(|source| ReadError::Decode {
            file: self.name.to_owned(),
            row: first_row,
            source,
        })?;
        let mut values = vec![Value::Absent; self.values];
        for row in 0..batch.num_rows() {
            for (field, column) in &columns {
                values[*field] = column.value(row);
            }
            self.push(first_row + row as u64, &values, None);
        }
        self.count_unknown(layout);
        Ok(())
    }

    /// Every record of such a file has every column.
    fn count_unknown(&mut self, layout: &Layout) {
        for name in layout.iter().filter_map(|place| place.as_ref().err()) {
            self.unknown.add(name, self.read);
        }
    }

    fn push(&mut self, row: u64, values: &[Value<'_>], record: Option<&[u8]>) {
        let place = Place {
            file: self.file,
            row,
        };
        match self.rows.push(place, values) {
            Ok(()) => {
                self.read += 1;
                self.appended += 1;
            }
            Err(fault) => self.reject(row, fault, record),
        }
    }

    fn reject(&mut self, row: u64, fault: Fault, record: Option<&[u8]>) {
        self.read += 1;
        let record = record.map(|bytes| {
            // Four bytes are the longest character.
            let start = &bytes[..bytes.len().min(4 * RECORD_CHARS)];
            let text = String::from_utf8_lossy(start);
            text.trim_end().chars().take(RECORD_CHARS).collect()
        });
        let place = Place {
            file: self.file,
            row,
        };
        self.rejects.push(Reject {
            table: self.table,
            place,
            fault,
            record,
        });
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|error| {
        let reason = format!(
            "invalid UTF-8 at byte {} of the record",
            error.valid_up_to()
        );
        Fault {
            field: field_before(&bytes[..error.valid_up_to()]),
            code: "INVALID_UTF8",
            reason,
        }
    })
}

/// The last key before a place in a JSON record.
fn field_before(bytes: &[u8]) -> Option<std::borrow::Cow<'static, str>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let colon = text.rfind("\":").or_else(|| text.rfind("\" :"))?;
    let key = &text[..colon];
    let start = key.rfind('"')? + 1;
    Some(key[start..].to_owned().into())
}
