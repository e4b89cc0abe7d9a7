//! Sends one stream, from the offset that the service tells, again and again until all of it is durable.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use kycc_proto::ingestion::v1::record_block::Records;
use kycc_proto::ingestion::v1::upload_records_request::Message;
use kycc_proto::ingestion::v1::{
    NdjsonRecords, RecordBlock, RecordError, Upload, UploadRecordsRequest, UploadStart,
};
use kycc_rpc::ClientError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::source::Stream;
use crate::connection::Connection;
use crate::show::text;

/// A message is about this large; the service takes 4 MiB.
const MESSAGE_BYTES: usize = 1 << 20;
const MESSAGE_RECORDS: u64 = 50_000;
/// Messages that are ready before they are sent.
const READY: usize = 2;
/// Bad records that are shown.
const MOST_SHOWN: usize = 20;
/// Longest that a fleet which went away is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// What has been sent so far, all streams together.
#[derive(Default)]
pub(super) struct Sent {
    /// Durable records.
    pub(super) records: u64,
    /// Bad ones that this command was told of.
    pub(super) bad: u64,
    /// The first of them.
    pub(super) wrong: Vec<Wrong>,
}

pub(super) struct Wrong {
    pub(super) file: String,
    pub(super) error: RecordError,
}

pub(super) async fn stream(
    connection: &Connection,
    upload: &Upload,
    stream: &Stream,
    sent: &mut Sent,
    quiet: bool,
) -> anyhow::Result<()> {
    let bar = bar(&stream.name, quiet);
    let mut gone_since: Option<Instant> = None;
    let mut committed = 0;
    loop {
        let before = committed;
        let ended = once(connection, upload, stream, sent, &mut committed, &bar).await;
        let error = match ended {
            Ok(()) => break,
            Err(error) => error,
        };
        if committed > before {
            gone_since = None;
        }
        let since = *gone_since.get_or_insert_with(Instant::now);
        let passes = error
            .downcast_ref::<ClientError>()
            .is_some_and(ClientError::is_transient);
        if !passes || since.elapsed() > PATIENCE {
            bar.abandon();
            return Err(error).with_context(|| {
                format!(
                    "{} was uploaded up to record {committed}; type the command again to go on from there",
                    stream.name
                )
            });
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    sent.records += committed;
    bar.finish_and_clear();
    if !quiet {
        eprintln!("{}: {} records", stream.name, text::count(committed));
    }
    Ok(())
}

/// One call, to the end of the stream.
async fn once(
    connection: &Connection,
    upload: &Upload,
    stream: &Stream,
    sent: &mut Sent,
    committed: &mut u64,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let (messages, to_send) = mpsc::channel(READY);
    let start = UploadStart {
        upload_id: upload.upload_id.clone(),
        stream_id: stream.id.clone(),
    };
    messages
        .send(UploadRecordsRequest {
            message: Some(Message::Start(start)),
        })
        .await
        .context("the first message could not be sent")?;
    let call = connection
        .ingestion()
        .upload_records(ReceiverStream::new(to_send))
        .await;
    let mut answers = call.map_err(ClientError::from)?.into_inner();
    let first = answers.message().await.map_err(ClientError::from)?;
    *committed = first.context("the server ended the call")?.committed_offset;
    let (from, reading) = (*committed, stream.clone());
    let reader = tokio::task::spawn_blocking(move || read(&reading, from, &messages));
    let told = async {
        while let Some(answer) = answers.message().await.map_err(ClientError::from)? {
            *committed = answer.committed_offset;
            bar.set_message(text::count(*committed));
            sent.bad += answer.errors.len() as u64 + answer.omitted_errors;
            let room = MOST_SHOWN.saturating_sub(sent.wrong.len());
            sent.wrong
                .extend(answer.errors.into_iter().take(room).map(|error| Wrong {
                    file: stream.name.clone(),
                    error,
                }));
        }
        Ok::<(), ClientError>(())
    }
    .await;
    drop(answers);
    let read = reader.await.context("reading the records stopped")?;
    told?;
    let end = read?;
    if *committed < end {
        bail!("the server ended the call before record {end} was durable");
    }
    Ok(())
}

/// Returns the offset after the last record, or after those that were handed over when nobody took them any more: then the
/// call's answers say why.
fn read(
    stream: &Stream,
    first: u64,
    messages: &mpsc::Sender<UploadRecordsRequest>,
) -> anyhow::Result<u64> {
    let mut offset = first;
    let mut records = 0;
    let mut lines = Vec::with_capacity(MESSAGE_BYTES);
    let send = |offset: &mut u64, records: &mut u64, lines: &mut Vec<u8>| {
        let block = RecordBlock {
            offset: *offset,
            records: Some(Records::Ndjson(NdjsonRecords {
                table: stream.table.into(),
                lines: std::mem::replace(lines, Vec::with_capacity(MESSAGE_BYTES)),
            })),
        };
        *offset += std::mem::take(records);
        let message = UploadRecordsRequest {
            message: Some(Message::Records(block)),
        };
        messages.blocking_send(message).is_ok()
    };
    stream.read(first, &mut |line| {
        let full = lines.len() + line.len() >= MESSAGE_BYTES || records == MESSAGE_RECORDS;
        if full && records > 0 && !send(&mut offset, &mut records, &mut lines) {
            return false;
        }
        lines.extend_from_slice(line);
        lines.push(b'\n');
        records += 1;
        true
    })?;
    if records > 0 {
        send(&mut offset, &mut records, &mut lines);
    }
    Ok(offset)
}

fn bar(name: &str, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    let style = ProgressStyle::with_template("{prefix:<40} {spinner} {msg} records {elapsed:.dim}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(crate::show::out::escaped(name));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
