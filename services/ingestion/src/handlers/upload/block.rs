//! A block of records as it came: cut into records, judged one by one, and written as lines.

use kycc_proto::ingestion::v1::record_block::Records;
use kycc_proto::ingestion::v1::{NdjsonRecords, RecordBlock, RecordError};
use kycc_rpc::ApiError;

use super::{typed, wire};
use crate::core::table::Table;
use crate::core::upload::{Gap, already_received};
use crate::limits::MOST_BLOCK_RECORDS;
use crate::reader::LONGEST_RECORD_BYTES;
use crate::reader::block::{Span, Text};
use crate::reader::error::ReadError;
use crate::reader::parse::{self, Reject};

/// The records of a block that are new to their stream.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) table: Table,
    pub(crate) records: u64,
    /// One line for each record, whether it is good or bad.
    pub(crate) lines: Vec<u8>,
    /// In order; a row is the record's offset and one.
    pub(crate) rejects: Vec<Reject>,
}

/// Takes what is new of a block, where the stream goes on at `next`. Costs about a microsecond a record: not for async
/// threads.
pub(crate) fn judge(block: RecordBlock, next: u64) -> Result<Judged, ApiError> {
    let offset = block.offset;
    let (table, bytes) = table_and_lines(block)?;
    let mut records = cut(&bytes)?;
    let skipped = already_received(next, offset, records.len() as u64).map_err(gap)?;
    records.drain(..usize::try_from(skipped).unwrap_or(usize::MAX));
    let text = Text {
        bytes,
        records,
        first_row: offset + 1,
        indexed: true,
    };
    let rejects = parse::check(table, &text, "records").map_err(refused)?;
    Ok(Judged {
        table,
        records: text.records.len() as u64,
        lines: lines(text),
        rejects,
    })
}

/// Told before they are written out: as many empty ones fit into a message as nobody has memory for.
fn written<R: typed::Line>(records: &[R]) -> Result<Vec<u8>, ApiError> {
    if records.len() > MOST_BLOCK_RECORDS {
        return Err(too_many());
    }
    Ok(typed::lines(records))
}

fn too_many() -> ApiError {
    let told = format!("takes at most {MOST_BLOCK_RECORDS} records in one message");
    ApiError::invalid("records", told)
}

fn table_and_lines(block: RecordBlock) -> Result<(Table, Vec<u8>), ApiError> {
    Ok(match block.records {
        Some(Records::Ndjson(NdjsonRecords { table, lines })) => {
            let table = kycc_proto::ingestion::v1::Table::try_from(table)
                .ok()
                .and_then(wire::table)
                .ok_or_else(|| {
                    ApiError::invalid("records.ndjson.table", "must be a table of a batch")
                })?;
            (table, lines)
        }
        Some(Records::Parties(typed)) => (Table::Parties, written(&typed.records)?),
        Some(Records::Accounts(typed)) => (Table::Accounts, written(&typed.records)?),
        Some(Records::Transactions(typed)) => (Table::Transactions, written(&typed.records)?),
        Some(Records::Relationships(typed)) => (Table::Relationships, written(&typed.records)?),
        None => {
            let wanted =
                "must hold records: ndjson, parties, accounts, transactions or relationships";
            return Err(ApiError::invalid("records", wanted));
        }
    })
}

/// Where each record stands. Rows are numbered from 0, blank lines left out.
fn cut(bytes: &[u8]) -> Result<Vec<Span>, ApiError> {
    let mut records = Vec::new();
    let mut start = if bytes.starts_with(b"\xEF\xBB\xBF") {
        3
    } else {
        0
    };
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        let line = bytes.get(start..end).unwrap_or_default();
        if !line.trim_ascii().is_empty() {
            let row = records.len();
            if line.len() > LONGEST_RECORD_BYTES {
                let told = format!(
                    "record {row} of the message is longer than {LONGEST_RECORD_BYTES} bytes"
                );
                return Err(ApiError::invalid("records", told));
            }
            if row == MOST_BLOCK_RECORDS {
                return Err(too_many());
            }
            records.push(Span::new(start, end, row as u64));
        }
        start = end + 1;
    }
    Ok(records)
}

/// Each record on a line of its own. Most blocks are that already, and stay where they are.
fn lines(text: Text) -> Vec<u8> {
    let (Some(first), Some(last)) = (text.records.first(), text.records.last()) else {
        return Vec::new();
    };
    let length: usize = text
        .records
        .iter()
        .map(|span| (span.end - span.start) as usize + 1)
        .sum();
    let (start, end) = (first.start as usize, last.end as usize);
    let gapless = end - start + 1 == length;
    if gapless && start == 0 {
        let mut bytes = text.bytes;
        bytes.truncate(end);
        bytes.push(b'\n');
        return bytes;
    }
    let mut lines = Vec::with_capacity(length);
    for span in &text.records {
        lines.extend_from_slice(&text.bytes[span.start as usize..span.end as usize]);
        lines.push(b'\n');
    }
    lines
}

fn gap(gap: Gap) -> ApiError {
    ApiError::OutOfRange {
        reason: "OFFSET_GAP".to_owned(),
        message: format!(
            "the stream goes on at offset {}, but the block begins at {}; send what is between them first",
            gap.expected, gap.found
        ),
        expected: gap.expected,
    }
}

fn refused(error: ReadError) -> ApiError {
    match error {
        ReadError::OutcomeInProfiles { place, field, .. } => {
            let told = format!(
                "{place} (by its offset) has the field {field}, which is an outcome: a score must not be made from what it \
                 predicts. Take it out; LabelService.RecordOutcomes takes outcomes"
            );
            ApiError::invalid("records", told)
        }
        other => ApiError::invalid("records", other.to_string()),
    }
}

pub(crate) fn record_error(reject: &Reject) -> RecordError {
    RecordError {
        offset: reject.place.row - 1,
        table: wire::wire_table(reject.table).into(),
        field: reject.fault.field.as_deref().unwrap_or_default().to_owned(),
        code: reject.fault.code.to_owned(),
        reason: reject.fault.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_proto::ingestion::v1 as proto;
    use tonic::Code;

    fn block(offset: u64, lines: &str) -> RecordBlock {
        RecordBlock {
            offset,
            records: Some(Records::Ndjson(NdjsonRecords {
                table: proto::Table::Accounts.into(),
                lines: lines.as_bytes().to_vec(),
            })),
        }
    }

    const GOOD: &str = r#"{"account_id": "A", "party_id": "P"}"#;

    #[test]
    fn each_record_is_a_line_whatever_the_breaks_were() {
        let three = format!("{GOOD}\n{GOOD}\n{GOOD}\n");
        for text in [
            three.clone(),
            three.trim_end().to_owned(),
            format!("\u{feff}\n  \n{GOOD}\n\n{GOOD}\n\t\n{GOOD}\n\n"),
        ] {
            let judged = judge(block(0, &text), 0).unwrap();
            assert_eq!((judged.records, judged.rejects.len()), (3, 0), "{text:?}");
            assert_eq!(String::from_utf8(judged.lines).unwrap(), three, "{text:?}");
        }
        let nothing = judge(block(0, "\n \n"), 0).unwrap();
        assert_eq!((nothing.records, nothing.lines.len()), (0, 0));
    }

    #[test]
    fn what_was_received_is_passed_over_and_faults_keep_their_offset() {
        let text = format!("{GOOD}\n{{}}\n{GOOD}\n{{\"account_id\": 7, \"party_id\": \"P\"}}\n");
        let judged = judge(block(10, &text), 12).unwrap();
        assert_eq!((judged.records, judged.rejects.len()), (2, 1));
        let error = record_error(&judged.rejects[0]);
        assert_eq!((error.offset, error.field.as_str()), (13, "account_id"));
        assert_eq!(error.code, "WRONG_TYPE");
        assert!(judged.lines.starts_with(GOOD.as_bytes()));
        assert_eq!(judge(block(0, &text), 12).unwrap().records, 0);
        let error = judge(block(13, &text), 12).unwrap_err();
        assert_eq!(
            (error.code(), error.reason()),
            (Code::OutOfRange, "OFFSET_GAP")
        );
    }

    #[test]
    fn what_no_batch_may_hold_is_refused_with_its_place() {
        let outcome = format!("{GOOD}\n{{\"account_id\": \"A\", \"will_default\": 1}}");
        let long = format!(
            "{GOOD}\n{{\"x\": \"{}\"}}",
            "x".repeat(LONGEST_RECORD_BYTES)
        );
        let many = "{}\n".repeat(MOST_BLOCK_RECORDS + 1);
        for (text, told) in [
            (
                outcome.as_str(),
                "accounts[6] (by its offset) has the field will_default",
            ),
            (long.as_str(), "record 1 of the message is longer"),
            (many.as_str(), "at most 100000 records"),
        ] {
            let error = judge(block(5, text), 5).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(error.to_string().contains(told), "{error}");
        }
        let none = RecordBlock {
            offset: 0,
            records: None,
        };
        assert!(
            judge(none, 0)
                .unwrap_err()
                .to_string()
                .contains("must hold records")
        );
        let text = NdjsonRecords {
            table: 99,
            lines: Vec::new(),
        };
        let unknown = RecordBlock {
            offset: 0,
            records: Some(Records::Ndjson(text)),
        };
        assert!(
            judge(unknown, 0)
                .unwrap_err()
                .to_string()
                .contains("must be a table")
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_a_fault_of_their_record() {
        let mut bad = block(0, "");
        bad.records = Some(Records::Ndjson(NdjsonRecords {
            table: proto::Table::Accounts.into(),
            lines: b"{\"account_id\": \"\xff\"}\n{}".to_vec(),
        }));
        let judged = judge(bad, 0).unwrap();
        assert_eq!(judged.records, 2);
        assert_eq!(judged.rejects[0].fault.code, "INVALID_UTF8");
    }
}
