//! Records that were left out, on their way to the `rejected` dataset. The first of them are kept for messages.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder, UInt64Builder};
use kycc_lake::datasets::REJECTED;

use super::error::StageError;
use super::spool::{Spool, Staged};
use crate::core::table::Table;
use crate::reader::parse::Reject;

/// Rejected records that a message names.
const FIRST: usize = 5;
const BATCH_ROWS: usize = 4_096;

pub(crate) struct Rejects {
    spool: Spool,
    files: Vec<String>,
    pending: Vec<Reject>,
    first: Vec<Reject>,
}

impl Rejects {
    pub(crate) fn new(folder: &Path, files: Vec<String>) -> Self {
        let spool = Spool::new(folder, "rejected", REJECTED.schema());
        Self {
            spool,
            files,
            pending: Vec::new(),
            first: Vec::new(),
        }
    }

    /// `failed` says whether the record counts against the share that may be rejected; one in the future does not.
    pub(crate) fn add(&mut self, reject: Reject, failed: bool) -> Result<(), StageError> {
        if failed && self.first.len() < FIRST {
            self.first.push(reject.clone());
        }
        self.pending.push(reject);
        if self.pending.len() < BATCH_ROWS {
            return Ok(());
        }
        self.flush()
    }

    /// The first rejected records, one a line: file, place, field, reason.
    pub(crate) fn first(&self) -> Vec<String> {
        self.first
            .iter()
            .map(|reject| describe(reject, &self.files))
            .collect()
    }

    fn flush(&mut self) -> Result<(), StageError> {
        let batch = self.batch();
        self.pending.clear();
        self.spool.append(&batch)
    }

    fn batch(&self) -> RecordBatch {
        let mut text: [StringBuilder; 6] = Default::default();
        let mut row = UInt64Builder::new();
        for reject in &self.pending {
            let [table, file, field, code, reason, record] = &mut text;
            table.append_value(reject.table.name());
            file.append_value(&self.files[reject.place.file as usize]);
            row.append_value(reject.place.row);
            field.append_option(reject.fault.field.as_deref());
            code.append_value(reject.fault.code);
            reason.append_value(&reject.fault.reason);
            record.append_option(reject.record.as_deref());
        }
        let [table, file, field, code, reason, record] =
            text.map(|mut b| Arc::new(b.finish()) as ArrayRef);
        let columns = vec![
            table,
            file,
            Arc::new(row.finish()),
            field,
            code,
            reason,
            record,
        ];
        RecordBatch::try_new(REJECTED.schema(), columns)
            .expect("the columns are those of the dataset")
    }

    pub(crate) fn finish(mut self) -> Result<Staged, StageError> {
        self.flush()?;
        self.spool.finish()
    }
}

/// `B1_transactions.csv, transactions row 17, amount: NaN is not a finite number`.
pub(crate) fn describe(reject: &Reject, files: &[String]) -> String {
    let file = &files[reject.place.file as usize];
    let place = place(reject.table, file, reject.place.row);
    match &reject.fault.field {
        Some(field) => format!("{file}, {place}, {field}: {}", reject.fault.reason),
        None => format!("{file}, {place}: {}", reject.fault.reason),
    }
}

fn place(table: Table, file: &str, row: u64) -> String {
    match file.rsplit('.').next() {
        Some("json") if table == Table::Outcomes => format!("[{}]", row - 1),
        Some("json") => format!("{table}[{}]", row - 1),
        Some("parquet") => format!("row {row}"),
        _ => format!("line {row}"),
    }
}
