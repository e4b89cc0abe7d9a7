//! `ValidateBatch`: what ingestion would say of each record by itself; nothing is kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kycc_domain::ids::BatchId;
use kycc_proto::ingestion::v1::validate_batch_request::Message;
use kycc_proto::ingestion::v1::{
    CodeCount, RejectedRecord, SourceRefusal, TableValidation, ValidateBatchRequest,
    ValidateBatchResponse, ValidateSource,
};
use kycc_rpc::ApiError;
use tokio::sync::Semaphore;
use tonic::{Status, Streaming};

use super::grpc::{as_of_text, batch_id};
use super::upload::Uploads;
use super::upload::stream::judge_off_thread;
use crate::as_of;
use crate::config::IngestConfig;
use crate::core::table::Table;
use crate::reader::parse::{Parsed, Reject};
use crate::reader::pipeline;
use crate::source::Source;
use crate::source::roots::Roots;

/// Bad records of one code that the answer names.
const FIRST: u64 = 10;

#[derive(Clone)]
pub(crate) struct Validator {
    pub(crate) roots: Roots,
    pub(crate) uploads: Uploads,
    /// Sources that are being read.
    pub(crate) sources: Arc<Semaphore>,
}

impl Validator {
    pub(crate) async fn validate(
        &self,
        mut messages: Streaming<ValidateBatchRequest>,
    ) -> Result<ValidateBatchResponse, Status> {
        match messages.message().await?.and_then(|first| first.message) {
            Some(Message::Source(source)) => {
                if messages.message().await?.is_some() {
                    let told = "is the only message of its call";
                    return Err(ApiError::invalid("source", told).into());
                }
                Ok(self.source(source).await?)
            }
            Some(first @ Message::Records(_)) => self.records(first, messages).await,
            None => Err(ApiError::invalid("message", "must be a source, or records").into()),
        }
    }

    async fn records(
        &self,
        first: Message,
        mut messages: Streaming<ValidateBatchRequest>,
    ) -> Result<ValidateBatchResponse, Status> {
        let _place = self.uploads.place()?;
        let mut tally = Tally::default();
        let mut next = 0;
        let mut message = Some(first);
        while let Some(Message::Records(block)) = message {
            let judged = judge_off_thread(block, next).await?;
            next += judged.records;
            tally.add(judged.table, judged.records, judged.rejects, &[]);
            message = match messages.message().await? {
                None => return Ok(tally.answer(None)),
                Some(message) => message.message,
            };
        }
        Err(ApiError::invalid("records", "must be in every message").into())
    }

    async fn source(&self, wanted: ValidateSource) -> Result<ValidateBatchResponse, ApiError> {
        let batch = batch_id(&wanted.batch_id)?;
        let config = IngestConfig {
            source_uri: Some(wanted.source_uri),
            labels_uri: Some(wanted.labels_uri),
            as_of: as_of_text(wanted.as_of_time.as_ref())?,
            ..IngestConfig::default()
        };
        let place =
            Arc::clone(&self.sources)
                .try_acquire_owned()
                .map_err(|_| {
                    ApiError::Overloaded {
                message:
                    "as many sources are being read for validation as this process may; try again"
                        .to_owned(),
                retry_after: std::time::Duration::from_secs(5),
            }
                })?;
        let source = Source::find(&self.roots, &batch, &config)
            .map_err(|error| ApiError::invalid(error.field(), error.to_string()))?;
        // The reading ends when this future does: at its end, at the caller's deadline, or when the caller leaves.
        let stop = StopOnDrop::default();
        let stopped = Arc::clone(&stop.0);
        let reading = tokio::task::spawn_blocking(move || {
            let _place = place;
            read(&batch, &config, &source, &stopped)
        });
        reading.await.map_err(|error| ApiError::internal(&error))
    }
}

#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reads on this thread alone: judging must not take the machine from runs.
fn read(
    batch: &BatchId,
    config: &IngestConfig,
    source: &Source,
    stopped: &AtomicBool,
) -> ValidateBatchResponse {
    let names: Vec<_> = source
        .inputs
        .iter()
        .map(|input| input.name.clone())
        .collect();
    let mut tally = Tally::default();
    let header = pipeline::read(&source.inputs, 1, &mut |parsed: Parsed| {
        if let Some(table) = parsed.table {
            tally.add(table, parsed.read, parsed.rejects, &names);
        }
        !stopped.load(Ordering::Relaxed)
    });
    let refusal = match header {
        Err(error) => Some((error.reason().to_owned(), error.to_string())),
        Ok(header) => as_of::resolve(batch, config, source, &header)
            .err()
            .map(|error| (error.reason().to_owned(), error.message().to_owned())),
    };
    tally.answer(refusal.map(|(reason, message)| SourceRefusal { reason, message }))
}

/// What has been found so far. Codes are a small, fixed set, so this is bounded.
#[derive(Debug, Default)]
struct Tally {
    tables: BTreeMap<Table, (u64, u64)>,
    codes: BTreeMap<&'static str, u64>,
    first: Vec<RejectedRecord>,
}

impl Tally {
    /// `files` are the names of the source's files; a stream has none.
    fn add(&mut self, table: Table, records: u64, rejects: Vec<Reject>, files: &[String]) {
        let (all, bad) = self.tables.entry(table).or_default();
        *all += records;
        *bad += rejects.len() as u64;
        for reject in rejects {
            let seen = self.codes.entry(reject.fault.code).or_default();
            *seen += 1;
            if *seen > FIRST {
                continue;
            }
            let file = files.get(reject.place.file as usize);
            self.first.push(RejectedRecord {
                table: reject.table.name().to_owned(),
                file: file.cloned().unwrap_or_default(),
                row: reject.place.row,
                field: reject.fault.field.unwrap_or_default().into_owned(),
                code: reject.fault.code.to_owned(),
                reason: reject.fault.reason,
                record: reject.record.unwrap_or_default(),
            });
        }
    }

    fn answer(self, refusal: Option<SourceRefusal>) -> ValidateBatchResponse {
        let tables = self.tables.into_iter().filter(|(_, (all, _))| *all > 0);
        let mut codes: Vec<_> = self.codes.into_iter().collect();
        codes.sort_by_key(|(_, records)| std::cmp::Reverse(*records));
        ValidateBatchResponse {
            tables: tables
                .map(|(table, (records, bad_records))| TableValidation {
                    table: table.name().to_owned(),
                    records,
                    bad_records,
                })
                .collect(),
            first_errors: self.first,
            codes: codes
                .into_iter()
                .map(|(code, records)| CodeCount {
                    code: code.to_owned(),
                    records,
                })
                .collect(),
            refusal,
        }
    }
}
