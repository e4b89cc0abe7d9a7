//! Uploads on the wire.

use kycc_proto::ingestion::v1 as proto;
use kycc_rpc::{ApiError, timestamp};
use prost_types::Timestamp;

use crate::core::table::Table;
use crate::core::time;
use crate::core::upload::{StreamId, UploadState};
use crate::store::{TableTotals, Upload};

pub(crate) fn table(table: proto::Table) -> Option<Table> {
    match table {
        proto::Table::Unspecified => None,
        proto::Table::Parties => Some(Table::Parties),
        proto::Table::Accounts => Some(Table::Accounts),
        proto::Table::Transactions => Some(Table::Transactions),
        proto::Table::Relationships => Some(Table::Relationships),
    }
}

pub(crate) fn wire_table(table: Table) -> proto::Table {
    match table {
        Table::Parties => proto::Table::Parties,
        Table::Accounts => proto::Table::Accounts,
        Table::Transactions => proto::Table::Transactions,
        Table::Relationships => proto::Table::Relationships,
        // No stream carries it.
        Table::Outcomes => proto::Table::Unspecified,
    }
}

pub(super) fn state(state: proto::UploadState) -> Option<UploadState> {
    match state {
        proto::UploadState::Unspecified => None,
        proto::UploadState::Open => Some(UploadState::Open),
        proto::UploadState::Committing => Some(UploadState::Committing),
        proto::UploadState::Committed => Some(UploadState::Committed),
        proto::UploadState::Aborted => Some(UploadState::Aborted),
        proto::UploadState::Expired => Some(UploadState::Expired),
    }
}

fn wire_state(state: UploadState) -> proto::UploadState {
    match state {
        UploadState::Open => proto::UploadState::Open,
        UploadState::Committing => proto::UploadState::Committing,
        UploadState::Committed => proto::UploadState::Committed,
        UploadState::Aborted => proto::UploadState::Aborted,
        UploadState::Expired => proto::UploadState::Expired,
    }
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn etag(upload: &Upload) -> String {
    upload.version.to_string()
}

pub(super) fn upload(
    upload: Upload,
    totals: &[TableTotals],
    streams: &[(StreamId, i64)],
) -> proto::Upload {
    let tables = totals.iter().map(|totals| proto::TableProgress {
        table: wire_table(totals.table).into(),
        records: count(totals.records),
        bytes: count(totals.bytes),
        bad_records: count(totals.bad_records),
    });
    let streams = streams.iter().map(|(id, next)| proto::StreamProgress {
        stream_id: id.to_string(),
        committed_offset: count(*next),
    });
    proto::Upload {
        etag: etag(&upload),
        upload_id: upload.upload_id.to_string(),
        batch_id: upload.batch_id.into_string(),
        state: wire_state(upload.state).into(),
        as_of_time: upload.as_of_micros.map(timestamp),
        display_name: upload.display_name,
        labels: upload.labels.into_iter().collect(),
        tables: tables.collect(),
        streams: streams.collect(),
        create_time: Some(timestamp(upload.created_at_micros)),
        update_time: Some(timestamp(upload.updated_at_micros)),
        created_by: upload.created_by,
        run_id: upload.run_id.unwrap_or_default(),
    }
}

/// Microseconds since 1970 of an as-of time, where it is given.
pub(crate) fn as_of(given: Option<&Timestamp>) -> Result<Option<i64>, ApiError> {
    let Some(given) = given else {
        return Ok(None);
    };
    let micros = u32::try_from(given.nanos)
        .ok()
        .and_then(|nanos| chrono::DateTime::from_timestamp(given.seconds, nanos))
        .map(|time| time.timestamp_micros());
    let micros = micros.and_then(|micros| time::checked(micros).ok());
    let refused = || ApiError::invalid("as_of_time", "lies outside the years 1600 to 2999");
    micros.map(Some).ok_or_else(refused)
}
