//! Records on their way to a durable part: consecutive ones of one stream and table.

use kycc_proto::ingestion::v1::RecordError;
use uuid::Uuid;

use super::block::{Judged, record_error};
use crate::core::table::Table;
use crate::core::upload::StreamId;
use crate::limits::MOST_ERRORS;
use crate::store::Part;

#[derive(Debug)]
pub(super) struct Pending {
    table: Table,
    first_offset: u64,
    records: u64,
    bad_records: u64,
    lines: Vec<u8>,
    errors: Vec<RecordError>,
}

impl Pending {
    pub(super) fn new(first_offset: u64, judged: Judged) -> Self {
        let mut pending = Self {
            table: judged.table,
            first_offset,
            records: 0,
            bad_records: 0,
            lines: Vec::new(),
            errors: Vec::new(),
        };
        pending.add(judged);
        pending
    }

    pub(super) fn add(&mut self, judged: Judged) {
        self.records += judged.records;
        self.bad_records += judged.rejects.len() as u64;
        let room = MOST_ERRORS - self.errors.len();
        self.errors
            .extend(judged.rejects.iter().take(room).map(record_error));
        if self.lines.is_empty() {
            self.lines = judged.lines;
        } else {
            self.lines.extend_from_slice(&judged.lines);
        }
    }

    pub(super) fn table(&self) -> Table {
        self.table
    }

    pub(super) fn bytes(&self) -> usize {
        self.lines.len()
    }

    /// What is written, what is recorded of it, and what its sender is told.
    pub(super) fn finish(self, stream: &StreamId, id: Uuid) -> Finished {
        let small = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Finished {
            part: Part {
                stream_id: stream.clone(),
                first_offset: small(self.first_offset),
                table: self.table,
                records: small(self.records),
                bad_records: small(self.bad_records),
                bytes: self.lines.len() as i64,
                file: format!("{}.ndjson", id.simple()),
            },
            lines: self.lines,
            committed_offset: self.first_offset + self.records,
            omitted_errors: self.bad_records - self.errors.len() as u64,
            errors: self.errors,
        }
    }
}

#[derive(Debug)]
pub(super) struct Finished {
    pub(super) part: Part,
    pub(super) lines: Vec<u8>,
    pub(super) committed_offset: u64,
    pub(super) errors: Vec<RecordError>,
    pub(super) omitted_errors: u64,
}
