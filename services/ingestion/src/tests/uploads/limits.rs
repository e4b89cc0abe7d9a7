//! What an upload and a process may take, and callers that are slow.

use std::sync::Arc;

use kycc_proto::ingestion::v1::Table::{Accounts, Parties};
use tonic::Code;

use super::harness::{Call, Place, Process, SOON, block, parties};
use crate::limits::Limits;
use crate::store::Bounds;

const BOUNDS: Bounds = Bounds {
    open_uploads: 1,
    streams: 2,
    parts: 2,
    bytes: 1_000,
};

async fn small(place: &Place) -> Process {
    let limits = Limits {
        bounds: BOUNDS,
        calls: 2,
        part_bytes: 1,
        ..Limits::default()
    };
    place.process_with(limits, Arc::clone(&place.store)).await
}

#[tokio::test]
async fn bounds_are_told_by_their_reason_and_leave_what_stands() {
    let place = Place::new().await;
    let process = small(&place).await;
    let upload = process.create("").await.unwrap();
    let mut call = process.stream(&upload, "s").await;
    call.block(0, Parties, &parties(0..2)).await;
    call.until(2).await;
    call.block(2, Parties, &parties(2..20)).await;
    let error = call.error().await;
    assert_eq!(
        (error.code(), error.reason()),
        (Code::ResourceExhausted, "UPLOAD_TOO_LARGE")
    );

    let mut call = process.stream(&upload, "s").await;
    call.block(2, Accounts, "{}\n").await;
    call.until(3).await;
    call.block(3, Parties, "{}\n").await;
    assert_eq!(call.error().await.reason(), "TOO_MANY_PARTS");

    process.stream(&upload, "t").await.next().await.unwrap();
    let error = process.stream(&upload, "u").await.error().await;
    assert_eq!(error.reason(), "TOO_MANY_STREAMS");
    let seen = process.get(&upload).await;
    assert_eq!(
        seen.tables.iter().map(|table| table.records).sum::<u64>(),
        3
    );
    let parts = place
        .bench
        .path(&format!(".uploads/{}/parts", upload.upload_id));
    assert_eq!(
        std::fs::read_dir(parts).unwrap().count(),
        2,
        "what was refused left no file"
    );

    let other = kycc_proto::ingestion::v1::CreateBatchRequest {
        batch_id: "B2".to_owned(),
        ..Default::default()
    };
    let error = process
        .client
        .clone()
        .create_batch(other)
        .await
        .unwrap_err();
    assert_eq!(
        kycc_rpc::ClientError::from(error).reason(),
        "TOO_MANY_UPLOADS"
    );
}

#[tokio::test]
async fn more_calls_than_a_process_serves_are_turned_away_with_a_hint() {
    let place = Place::new().await;
    let process = small(&place).await;
    let upload = process.create("").await.unwrap();
    let mut first = process.stream(&upload, "s").await;
    let mut second = process.stream(&upload, "t").await;
    first.next().await.unwrap();
    second.next().await.unwrap();
    let mut refused = process.client.clone();
    let (messages, to_send) = tokio::sync::mpsc::channel(1);
    let refused = refused.upload_records(tokio_stream::wrappers::ReceiverStream::new(to_send));
    let error = kycc_rpc::ClientError::from(refused.await.unwrap_err());
    drop(messages);
    assert_eq!(
        (error.code(), error.reason()),
        (Code::ResourceExhausted, "OVERLOADED")
    );
    assert!(error.retry_after().is_some());
}

#[tokio::test]
async fn a_message_of_more_than_four_mebibytes_is_refused() {
    let place = Place::new().await;
    let process = place.process().await;
    let upload = process.create("").await.unwrap();
    let mut call = process.stream(&upload, "s").await;
    let line = format!("{{\"name\": \"{}\"}}\n", "x".repeat(1_000));
    call.block(0, Parties, &line.repeat(4_300)).await;
    let error = call.error().await;
    assert_eq!(
        error.code(),
        Code::OutOfRange,
        "as gRPC answers it: {error}"
    );
    assert!(process.get(&upload).await.tables.is_empty());
}

/// 64 blocks of half a mebibyte and more: far beyond what windows and stages hold.
#[tokio::test]
async fn a_caller_that_does_not_read_is_not_read_from_and_loses_nothing() {
    const BLOCKS: u64 = 64;
    let place = Place::new().await;
    let limits = Limits {
        part_bytes: 1,
        ..Limits::default()
    };
    let process = place.process_with(limits, Arc::clone(&place.store)).await;
    let upload = process.create("").await.unwrap();
    let Call {
        messages,
        mut answers,
    } = process.stream(&upload, "s").await;
    let line = format!("{{\"name\": \"{}\"}}\n", "x".repeat(500_000));
    let sending = async move {
        for offset in 0..BLOCKS {
            messages.send(block(offset, Parties, &line)).await.unwrap();
        }
    };
    tokio::pin!(sending);
    let id = crate::core::upload::UploadId::new(&upload.upload_id).unwrap();
    let stalled = async {
        // Until the answers that nobody reads fill their places.
        while place.store.parts(&id).await.unwrap().len() < 5 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = &mut sending => panic!("all was taken from a caller that reads nothing"),
        done = tokio::time::timeout(SOON, stalled) => done.unwrap(),
    }
    let taken = place.store.parts(&id).await.unwrap().len();
    assert!(taken < 16, "{taken} parts for a caller that reads nothing");
    let reading = async {
        let mut committed = 0;
        while let Some(answer) = answers.message().await.unwrap() {
            committed = answer.committed_offset;
        }
        committed
    };
    let both = async { tokio::join!(sending, reading).1 };
    let committed = tokio::time::timeout(SOON, both).await.unwrap();
    assert_eq!(committed, BLOCKS);
}
