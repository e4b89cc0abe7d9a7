//! Takes parsed blocks, numbers the ids in them, and puts the rows aside, table by table.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};

use super::counts::TableCounts;
use super::error::StageError;
use super::ids::Ids;
use super::references;
use super::rejects::Rejects;
use super::spool::{Spool, Staged};
use crate::core::rows;
use crate::core::table::{PROFILES, Table};
use crate::reader::parse::Parsed;

pub(crate) struct Stager {
    spools: BTreeMap<Table, Spool>,
    pub(crate) ids: Ids,
    pub(crate) rejects: Rejects,
    pub(crate) counts: TableCounts,
}

/// What the reading left behind.
pub(crate) struct Stage {
    pub(crate) tables: BTreeMap<Table, Staged>,
    pub(crate) ids: Ids,
    pub(crate) rejects: Rejects,
    pub(crate) counts: TableCounts,
}

impl Stager {
    /// `files` are the names of all files that will be read, in the order of their numbers.
    pub(crate) fn new(folder: &Path, files: Vec<String>) -> Self {
        let tables = || PROFILES.into_iter().chain([Table::Outcomes]);
        let spool = |table: Table| {
            let schema = Arc::new(Schema::new(staged_fields(table)));
            (table, Spool::new(folder, table.name(), schema))
        };
        Self {
            spools: tables().map(spool).collect(),
            ids: Ids::default(),
            rejects: Rejects::new(folder, files),
            counts: tables().map(|table| (table, Default::default())).collect(),
        }
    }

    pub(crate) fn take(&mut self, parsed: Parsed) -> Result<(), StageError> {
        let Some(table) = parsed.table else {
            return Ok(());
        };
        let counts = self.counts.entry(table).or_default();
        counts.read += parsed.read;
        counts.rejected += parsed.rejects.len() as u64;
        counts.unknown.merge(&parsed.unknown);
        for reject in parsed.rejects {
            self.rejects.add(reject, true)?;
        }
        if parsed.rows == 0 {
            return Ok(());
        }
        let mut columns = Vec::with_capacity(parsed.columns.len() + 1);
        for (field, column) in rows::columns(table).iter().zip(parsed.columns) {
            let reference = references(table).iter().find(|r| r.field == field.name());
            let Some(reference) = reference else {
                columns.push(column);
                continue;
            };
            let numbers = self.ids.number(column.as_string())?;
            columns.push(Arc::new(numbers) as ArrayRef);
            if reference.keeps_text {
                columns.push(column);
            }
        }
        let spool = self
            .spools
            .get_mut(&table)
            .expect("every table has a spool");
        let batch = RecordBatch::try_new(Arc::clone(spool.schema()), columns)
            .expect("the columns are those of the staged table");
        spool.append(&batch)
    }

    pub(crate) fn finish(self) -> Result<Stage, StageError> {
        let staged = |(table, spool): (Table, Spool)| Ok((table, spool.finish()?));
        Ok(Stage {
            tables: self
                .spools
                .into_iter()
                .map(staged)
                .collect::<Result<_, StageError>>()?,
            ids: self.ids,
            rejects: self.rejects,
            counts: self.counts,
        })
    }
}

/// The columns of a table as they are put aside: a number in front of, or in place of, every party id.
fn staged_fields(table: Table) -> Vec<Field> {
    let mut fields = Vec::new();
    for field in rows::columns(table) {
        let reference = references(table).iter().find(|r| r.field == field.name());
        let Some(reference) = reference else {
            fields.push(field);
            continue;
        };
        fields.push(Field::new(
            reference.seen,
            DataType::UInt32,
            field.is_nullable(),
        ));
        if reference.keeps_text {
            fields.push(field);
        }
    }
    fields
}
