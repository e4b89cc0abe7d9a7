//! Uploads: which there are, how far their streams are durable, of which files they consist. A record counts as taken once
//! its part stands here; a file that no part names does not exist.

mod sql;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_store::{Migration, StoreError};

use crate::core::table::Table;
use crate::core::upload::{StreamId, UploadId, UploadState};

pub(crate) const MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "uploads",
    sql: include_str!("../migrations/001_uploads.sql"),
}];

/// What no fleet goes beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) open_uploads: i64,
    pub(crate) streams: i64,
    pub(crate) parts: i64,
    pub(crate) bytes: i64,
}

/// What a caller asks to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewUpload {
    pub(crate) upload_id: UploadId,
    pub(crate) batch_id: BatchId,
    pub(crate) as_of_micros: Option<i64>,
    pub(crate) display_name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) created_by: String,
    pub(crate) request_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) upload_id: UploadId,
    pub(crate) batch_id: BatchId,
    pub(crate) state: UploadState,
    pub(crate) as_of_micros: Option<i64>,
    pub(crate) display_name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) created_at_micros: i64,
    pub(crate) updated_at_micros: i64,
    pub(crate) created_by: String,
    pub(crate) run_id: Option<String>,
    /// Goes up with every change.
    pub(crate) version: i64,
}

/// A durable file of consecutive records of one stream and table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) stream_id: StreamId,
    pub(crate) first_offset: i64,
    pub(crate) table: Table,
    pub(crate) records: i64,
    pub(crate) bad_records: i64,
    pub(crate) bytes: i64,
    /// Its name within the upload's folder; no two parts ever have the same.
    pub(crate) file: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableTotals {
    pub(crate) table: Table,
    pub(crate) records: i64,
    pub(crate) bad_records: i64,
    pub(crate) bytes: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Created {
    New(Upload),
    /// The same request made it before.
    Before(Upload),
    /// The request id stands for another request, which made this upload.
    RequestReused(String),
    /// Another upload of the batch is open.
    Exists(String),
    TooMany,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    Stands,
    NotOpen,
    /// The stream does not go on at the part's first offset any more.
    Elsewhere,
    TooManyParts,
    TooManyBytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opened {
    /// The stream goes on at this offset.
    At(i64),
    NotOpen,
    TooManyStreams,
}

/// A change of state that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change<'a> {
    pub(crate) upload_id: &'a UploadId,
    /// One of these it must be in.
    pub(crate) from: &'a [UploadState],
    pub(crate) to: UploadState,
    /// Where given, the version that it must still have.
    pub(crate) version: Option<i64>,
    pub(crate) as_of_micros: Option<i64>,
    pub(crate) run_id: Option<&'a str>,
    pub(crate) now_micros: i64,
}

/// Which uploads, after which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) batch_id: Option<BatchId>,
    pub(crate) state: Option<UploadState>,
    /// Creation time and id of the last one of the page before.
    pub(crate) after: Option<(i64, String)>,
    pub(crate) limit: usize,
}

#[async_trait]
pub(crate) trait UploadStore: Send + Sync {
    async fn create(
        &self,
        new: &NewUpload,
        bounds: Bounds,
        now_micros: i64,
    ) -> Result<Created, StoreError>;

    async fn get(&self, upload_id: &UploadId) -> Result<Option<Upload>, StoreError>;

    /// Newest first.
    async fn list(&self, wanted: &Wanted) -> Result<Vec<Upload>, StoreError>;

    /// In the order of their names.
    async fn streams(&self, upload_id: &UploadId) -> Result<Vec<(StreamId, i64)>, StoreError>;

    /// Tables that have records.
    async fn totals(&self, upload_id: &UploadId) -> Result<Vec<TableTotals>, StoreError>;

    /// In the order of streams and offsets.
    async fn parts(&self, upload_id: &UploadId) -> Result<Vec<Part>, StoreError>;

    /// Makes the stream where it is not there yet.
    async fn open_stream(
        &self,
        upload_id: &UploadId,
        stream_id: &StreamId,
        bounds: Bounds,
    ) -> Result<Opened, StoreError>;

    /// Takes a part whose file is durable. Of two that begin at one offset one stands; the same part again changes nothing.
    async fn append(
        &self,
        upload_id: &UploadId,
        part: &Part,
        bounds: Bounds,
        now_micros: i64,
    ) -> Result<Appended, StoreError>;

    /// Whether the change was made; what a caller makes of "no" it learns from [`get`](Self::get).
    async fn change(&self, change: Change<'_>) -> Result<bool, StoreError>;

    /// Uploads in one of these states that nothing has happened to since.
    async fn untouched(
        &self,
        states: &[UploadState],
        before_micros: i64,
        limit: usize,
    ) -> Result<Vec<UploadId>, StoreError>;
}
