//! What a stream acknowledges, and where it goes on.

use kycc_proto::ingestion::v1::Table::{Accounts, Parties};
use kycc_proto::ingestion::v1::record_block::Records;
use kycc_proto::ingestion::v1::upload_records_request::Message;
use kycc_proto::ingestion::v1::{self as proto, PartyRecords, UploadState};
use tonic::Code;

use super::harness::{Place, SOON, parties, request, seconds};

#[tokio::test]
async fn a_cut_connection_goes_on_at_the_acknowledged_offset_with_another_process() {
    let place = Place::new().await;
    let (first, second) = (place.process().await, place.process().await);
    let upload = first.create("").await.unwrap();
    let mut call = first.stream(&upload, "s").await;
    assert_eq!(call.next().await.unwrap().committed_offset, 0);
    call.block(0, Parties, &parties(0..10)).await;
    call.until(10).await;
    drop(call);

    let mut call = second.stream(&upload, "s").await;
    assert_eq!(call.next().await.unwrap().committed_offset, 10);
    // The caller does not trust it, and sends everything again.
    call.block(0, Parties, &parties(0..10)).await;
    call.block(5, Parties, &parties(5..15)).await;
    call.until(15).await;
    let seen = first.get(&upload).await;
    assert_eq!(seen.tables[0].records, 15);
    assert_eq!(seen.streams[0].committed_offset, 15);
    assert_eq!(seen.state(), UploadState::Open);
    let lines: i64 = place
        .store
        .parts(&crate::core::upload::UploadId::new(&upload.upload_id).unwrap())
        .await
        .unwrap()
        .iter()
        .map(|part| part.records)
        .sum();
    assert_eq!(lines, 15);
}

#[tokio::test]
async fn a_process_that_stops_makes_durable_what_it_received() {
    let place = Place::new().await;
    let (first, second) = (place.process().await, place.process().await);
    let upload = first.create("").await.unwrap();
    let mut call = first.stream(&upload, "s").await;
    call.block(0, Parties, &parties(0..10)).await;
    call.until(10).await;
    let stopping = tokio::time::timeout(SOON, first.stop());
    let (stopped, error) = tokio::join!(stopping, call.error());
    stopped.unwrap();
    assert!(error.is_transient(), "{error}");
    let mut call = second.stream(&upload, "s").await;
    assert_eq!(call.next().await.unwrap().committed_offset, 10);
}

#[tokio::test]
async fn a_gap_is_refused_with_the_offset_that_is_expected_and_what_came_before_stands() {
    let place = Place::new().await;
    let process = place.process().await;
    let upload = process.create("").await.unwrap();
    let mut call = process.stream(&upload, "s").await;
    call.block(0, Parties, &parties(0..3)).await;
    call.block(4, Parties, &parties(4..5)).await;
    let error = call.error().await;
    assert_eq!(
        (error.code(), error.reason()),
        (Code::OutOfRange, "OFFSET_GAP")
    );
    assert_eq!(error.metadata("expected"), Some("3"));
    assert_eq!(process.get(&upload).await.streams[0].committed_offset, 3);
}

#[tokio::test]
async fn of_two_calls_that_send_one_stream_one_goes_on() {
    let place = Place::new().await;
    let (first, second) = (place.process().await, place.process().await);
    let upload = first.create("").await.unwrap();
    let mut old = first.stream(&upload, "s").await;
    let mut new = second.stream(&upload, "s").await;
    assert_eq!(old.next().await.unwrap().committed_offset, 0);
    assert_eq!(new.next().await.unwrap().committed_offset, 0);
    new.block(0, Parties, &parties(0..5)).await;
    new.until(5).await;
    old.block(0, Parties, &parties(0..4)).await;
    let error = old.error().await;
    assert_eq!(
        (error.code(), error.reason()),
        (Code::Aborted, "STREAM_TAKEN")
    );
    new.block(5, Parties, &parties(5..6)).await;
    new.until(6).await;
    assert_eq!(first.get(&upload).await.tables[0].records, 6);
}

#[tokio::test]
async fn streams_of_one_upload_are_independent() {
    let place = Place::new().await;
    let (first, second) = (place.process().await, place.process().await);
    let upload = first.create("").await.unwrap();
    let blocks = [(Parties, parties(0..4))];
    let account = "{\"account_id\": \"A\", \"party_id\": \"P1\"}\n".to_owned();
    let others = [(Accounts, account.clone()), (Accounts, account)];
    tokio::join!(
        first.send(&upload, "a", &blocks),
        second.send(&upload, "b", &others)
    );
    let seen = second.get(&upload).await;
    let tables: Vec<_> = seen
        .tables
        .iter()
        .map(|it| (it.table(), it.records))
        .collect();
    assert_eq!(tables, [(Parties, 4), (Accounts, 2)]);
    let streams: Vec<_> = seen
        .streams
        .iter()
        .map(|it| (it.stream_id.as_str(), it.committed_offset))
        .collect();
    assert_eq!(streams, [("a", 4), ("b", 2)]);
}

#[tokio::test]
async fn bad_records_are_told_with_offset_and_field_and_the_others_go_on() {
    let place = Place::new().await;
    let process = place.process().await;
    let upload = process.create("").await.unwrap();
    let mut call = process.stream(&upload, "s").await;
    call.block(0, Parties, &parties(0..2)).await;
    let bad = "{\"party_id\": \"P\", \"name\": 7}\n";
    call.block(2, Parties, &format!("{bad}{}", parties(3..4)))
        .await;
    let typed = proto::PartyRecord {
        party_id: "P9".to_owned(),
        name: "Nine".to_owned(),
        party_type: "retailer".to_owned(),
        ..proto::PartyRecord::default()
    };
    let good = proto::PartyRecord {
        created_time: Some(seconds(1_500_000_000)),
        ..typed.clone()
    };
    let block = proto::RecordBlock {
        offset: 4,
        records: Some(Records::Parties(PartyRecords {
            records: vec![good, typed],
        })),
    };
    call.messages
        .send(request(Message::Records(block)))
        .await
        .unwrap();
    let errors = call.until(6).await;
    let told: Vec<_> = errors
        .iter()
        .map(|error| {
            (
                error.offset,
                error.table(),
                error.field.as_str(),
                error.code.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (2, Parties, "name", "WRONG_TYPE"),
            (5, Parties, "created_at", "MISSING_FIELD")
        ]
    );
    let seen = process.get(&upload).await;
    assert_eq!((seen.tables[0].records, seen.tables[0].bad_records), (6, 2));
}

#[tokio::test]
async fn the_errors_of_an_answer_are_bounded_and_the_others_counted() {
    let place = Place::new().await;
    let process = place.process().await;
    let upload = process.create("").await.unwrap();
    let mut call = process.stream(&upload, "s").await;
    call.block(0, Parties, &"{}\n".repeat(5_000)).await;
    let (mut named, mut omitted) = (0, 0);
    loop {
        let answer = call.next().await.unwrap();
        named += answer.errors.len();
        omitted += answer.omitted_errors;
        if answer.committed_offset == 5_000 {
            break;
        }
    }
    assert_eq!((named, omitted), (100, 4_900));
}
