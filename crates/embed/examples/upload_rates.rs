//! How fast a client streams transactions into an upload: a real server on loopback, every acknowledged record durable.
//! Prints one JSON object per way of sending.
//!
//! `cargo run --release -p kycc-embed --example upload_rates -- [RECORDS] [RECORDS_PER_MESSAGE] [STREAMS]`
//!
//! BENCH_DIR names the folder to work in; what a temporary folder in memory shows is not what a disk does.

use std::time::Instant;

use kycc_embed::{Fleet, FleetConfig};
use kycc_proto::ingestion::v1::ingestion_service_client::IngestionServiceClient;
use kycc_proto::ingestion::v1::record_block::Records;
use kycc_proto::ingestion::v1::upload_records_request::Message;
use kycc_proto::ingestion::v1::{
    AbortBatchRequest, CreateBatchRequest, NdjsonRecords, RecordBlock, Table, TransactionRecord,
    TransactionRecords, UploadRecordsRequest, UploadStart,
};
use prost_types::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone, Copy)]
enum Way {
    Ndjson,
    Typed,
}

/// Messages are made before the clock starts; only their offsets differ, so a few are sent again and again.
const DISTINCT: u64 = 8;

fn record(n: u64) -> TransactionRecord {
    TransactionRecord {
        txn_id: format!("TXN-{n:012}"),
        party_id: format!("P-{:08}", n % 100_000),
        counterparty_id: format!("P-{:08}", n * 7 % 100_000),
        account_id: format!("ACC-{:08}", n % 100_000),
        amount: format!("{}.{:02}", n % 90_000, n % 100),
        currency: "EUR".to_owned(),
        txn_type: "invoice".to_owned(),
        transaction_time: Some(Timestamp {
            seconds: 1_700_000_000 + i64::try_from(n % 10_000_000).unwrap_or(0),
            nanos: 0,
        }),
        reference: format!("INV-{n:010}"),
        days_past_due: Some(3),
    }
}

fn line(record: &TransactionRecord) -> String {
    let amount: serde_json::Number = record.amount.parse().unwrap_or_else(|_| 0.into());
    json!({"txn_id": record.txn_id, "party_id": record.party_id, "counterparty_id": record.counterparty_id,
        "account_id": record.account_id, "amount": amount, "currency": record.currency, "txn_type": record.txn_type,
        "ts": "2025-10-11T17:50:55.872979Z", "reference": record.reference, "days_past_due": 3})
    .to_string()
}

fn block(way: Way, number: u64, per_message: u64) -> Records {
    let records = (0..per_message).map(|n| record(number * per_message + n));
    match way {
        Way::Typed => Records::Transactions(TransactionRecords {
            records: records.collect(),
        }),
        Way::Ndjson => Records::Ndjson(NdjsonRecords {
            table: Table::Transactions.into(),
            lines: records
                .flat_map(|record| (line(&record) + "\n").into_bytes())
                .collect(),
        }),
    }
}

/// Returns the bytes sent.
async fn stream(
    channel: Channel,
    start: UploadStart,
    blocks: Vec<Records>,
    per_message: u64,
    messages: u64,
) -> Result<u64, Error> {
    let (sender, to_send) = mpsc::channel(2);
    let sending = async move {
        let start = Message::Start(start);
        let mut bytes = 0;
        let first = UploadRecordsRequest {
            message: Some(start),
        };
        if sender.send(first).await.is_err() {
            return bytes;
        }
        for (number, records) in (0..messages).zip(blocks.iter().cycle()) {
            let block = Message::Records(RecordBlock {
                offset: number * per_message,
                records: Some(records.clone()),
            });
            let message = UploadRecordsRequest {
                message: Some(block),
            };
            bytes += prost_len(&message);
            if sender.send(message).await.is_err() {
                return bytes;
            }
        }
        bytes
    };
    let receiving = async {
        let mut answers = IngestionServiceClient::new(channel)
            .upload_records(ReceiverStream::new(to_send))
            .await?
            .into_inner();
        let mut committed = 0;
        while let Some(answer) = answers.message().await? {
            committed = answer.committed_offset;
            if let Some(error) = answer.errors.first() {
                return Err(Error::from(format!("a record was refused: {error:?}")));
            }
        }
        if committed != messages * per_message {
            return Err(Error::from(format!("only {committed} are durable")));
        }
        Ok(())
    };
    let (bytes, received) = tokio::join!(sending, receiving);
    received?;
    Ok(bytes)
}

fn prost_len(message: &UploadRecordsRequest) -> u64 {
    prost::Message::encoded_len(message) as u64
}

async fn measure(
    fleet: &Fleet,
    way: Way,
    records: u64,
    per_message: u64,
    streams: u64,
) -> Result<(), Error> {
    let mut client = IngestionServiceClient::new(fleet.channel());
    let created = client
        .create_batch(CreateBatchRequest {
            batch_id: "BENCH".to_owned(),
            ..CreateBatchRequest::default()
        })
        .await?;
    let upload = created.into_inner().upload.unwrap_or_default();
    let blocks: Vec<_> = (0..DISTINCT)
        .map(|number| block(way, number, per_message))
        .collect();
    let messages = records.div_ceil(per_message * streams);
    let begun = Instant::now();
    let all = (0..streams).map(|stream_number| {
        let start = UploadStart {
            upload_id: upload.upload_id.clone(),
            stream_id: format!("s{stream_number}"),
        };
        stream(
            fleet.channel(),
            start,
            blocks.clone(),
            per_message,
            messages,
        )
    });
    let bytes: u64 = futures::future::try_join_all(all).await?.iter().sum();
    let seconds = begun.elapsed().as_secs_f64();
    let sent = messages * per_message * streams;
    let name = match way {
        Way::Ndjson => "ndjson",
        Way::Typed => "typed",
    };
    let result = json!({
        "way": name, "streams": streams, "records": sent, "records_per_message": per_message,
        "seconds": (seconds * 1e3).round() / 1e3, "records_per_second": (sent as f64 / seconds).round(),
        "megabytes_per_second": (bytes as f64 / seconds / 1e5).round() / 10.0,
    });
    println!("{result}");
    let abort = AbortBatchRequest {
        upload_id: upload.upload_id,
        ..AbortBatchRequest::default()
    };
    client.abort_batch(abort).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut numbers = std::env::args().skip(1);
    let mut number = |usual: u64| numbers.next().map_or(Ok(usual), |text| text.parse());
    let (records, per_message, streams) = (number(2_000_000)?, number(4_000)?, number(1)?);
    let folder = match std::env::var_os("BENCH_DIR") {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    let fleet = Fleet::in_process(FleetConfig::embedded(folder.path())).await?;
    for way in [Way::Ndjson, Way::Typed] {
        measure(&fleet, way, records, per_message.max(1), streams.max(1)).await?;
    }
    fleet.shutdown().await;
    Ok(())
}
