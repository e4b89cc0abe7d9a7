//! What strangers send: names that would leave their folder, messages out of order, records that are none.

use kycc_proto::ingestion::v1::Table::Parties;
use kycc_proto::ingestion::v1::upload_records_request::Message;
use kycc_proto::ingestion::v1::{self as proto, UploadStart};
use kycc_rpc::ClientError;
use tonic::Code;

use super::harness::{Place, parties, request};

const NAMES: [&str; 14] = [
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "a\0b",
    "%2e%2e%2f",
    "ａ",
    "a\u{202e}b",
    ".uploads",
    "a\r\nb",
    "~root",
];

#[tokio::test]
async fn no_name_leaves_its_folder() {
    let place = Place::new().await;
    let process = place.process().await;
    let upload = process.create("").await.unwrap();
    let outside = |place: &Place| {
        let parent = std::fs::read_dir(place.bench.landing.path()).unwrap();
        parent
            .map(|entry| entry.unwrap().file_name())
            .collect::<Vec<_>>()
    };
    let before = outside(&place);
    for name in NAMES
        .iter()
        .map(|name| (*name).to_owned())
        .chain(["x".repeat(5_000)])
    {
        let error = process.stream(&upload, &name).await.error().await;
        assert_eq!(error.violations()[0].field, "stream_id", "{name:?}");
        let start = Message::Start(UploadStart {
            upload_id: name.clone(),
            stream_id: "s".to_owned(),
        });
        let error = process.call(start).await.error().await;
        assert_eq!(error.violations()[0].field, "upload_id", "{name:?}");
        let create = proto::CreateBatchRequest {
            batch_id: name.clone(),
            ..proto::CreateBatchRequest::default()
        };
        let error = process
            .client
            .clone()
            .create_batch(create)
            .await
            .unwrap_err();
        assert_eq!(
            ClientError::from(error).violations()[0].field,
            "batch_id",
            "{name:?}"
        );
    }
    assert_eq!(outside(&place), before);
    assert!(process.get(&upload).await.streams.is_empty());
}

#[tokio::test]
async fn an_upload_that_nobody_made_is_not_found() {
    let place = Place::new().await;
    let process = place.process().await;
    let nobody = proto::Upload {
        upload_id: "0".repeat(32),
        ..proto::Upload::default()
    };
    let error = process.stream(&nobody, "s").await.error().await;
    assert_eq!(error.code(), Code::NotFound);
    assert_eq!(
        process.commit(&nobody).await.unwrap_err().code(),
        Code::NotFound
    );
    assert_eq!(
        process.abort(&nobody).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn messages_out_of_order_are_refused_and_what_came_before_stands() {
    let place = Place::new().await;
    let process = place.process().await;
    let upload = process.create("").await.unwrap();
    let block = super::harness::ndjson(0, Parties, &parties(0..1));
    let error = process.call(Message::Records(block)).await.error().await;
    assert_eq!(error.violations()[0].field, "start");

    let mut call = process.stream(&upload, "s").await;
    call.block(0, Parties, &parties(0..2)).await;
    let start = UploadStart {
        upload_id: upload.upload_id.clone(),
        stream_id: "t".to_owned(),
    };
    call.messages
        .send(request(Message::Start(start)))
        .await
        .unwrap();
    assert_eq!(call.error().await.violations()[0].field, "start");
    assert_eq!(process.get(&upload).await.streams[0].committed_offset, 2);
    let mut call = process.stream(&upload, "s").await;
    let empty = proto::UploadRecordsRequest { message: None };
    call.messages.send(empty).await.unwrap();
    assert_eq!(call.error().await.violations()[0].field, "records");
}

#[tokio::test]
async fn an_outcome_among_profiles_ends_the_call_and_is_not_kept() {
    let place = Place::new().await;
    let process = place.process().await;
    let upload = process.create("").await.unwrap();
    let mut call = process.stream(&upload, "s").await;
    call.block(0, Parties, &parties(0..2)).await;
    let leak = "{\"party_id\": \"P\", \"profile\": {\"will_default\": 1}}\n";
    call.block(2, Parties, &format!("{}{leak}", parties(2..3)))
        .await;
    let error = call.error().await;
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.message().contains("parties[3]"), "{error}");
    assert!(error.message().contains("will_default"), "{error}");
    let seen = process.get(&upload).await;
    assert_eq!(seen.streams[0].committed_offset, 2);
}

#[tokio::test]
async fn a_landing_folder_that_the_process_does_not_share_is_named() {
    let (place, elsewhere) = (Place::new().await, Place::new().await);
    let here = place.process().await;
    let there = elsewhere
        .process_with(
            crate::limits::Limits::default(),
            std::sync::Arc::clone(&place.store),
        )
        .await;
    let upload = here.create("").await.unwrap();
    let error = there.stream(&upload, "s").await.error().await;
    assert_eq!(error.reason(), "LANDING_NOT_SHARED");
    assert!(error.message().contains("landing"), "{error}");
}

#[tokio::test]
async fn texts_that_no_upload_has_are_refused_by_their_field() {
    let place = Place::new().await;
    let process = place.process().await;
    let usual = || proto::CreateBatchRequest {
        batch_id: "B1".to_owned(),
        ..proto::CreateBatchRequest::default()
    };
    let label = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
    let requests = [
        (
            "request_id",
            proto::CreateBatchRequest {
                request_id: "x".repeat(129),
                ..usual()
            },
        ),
        (
            "display_name",
            proto::CreateBatchRequest {
                display_name: "a\0".to_owned(),
                ..usual()
            },
        ),
        (
            "labels",
            proto::CreateBatchRequest {
                labels: label("", "x"),
                ..usual()
            },
        ),
        (
            "labels",
            proto::CreateBatchRequest {
                labels: label("k", &"v".repeat(257)),
                ..usual()
            },
        ),
        (
            "as_of_time",
            proto::CreateBatchRequest {
                as_of_time: Some(super::harness::seconds(i64::MAX)),
                ..usual()
            },
        ),
    ];
    for (field, request) in requests {
        let error = process
            .client
            .clone()
            .create_batch(request)
            .await
            .unwrap_err();
        assert_eq!(ClientError::from(error).violations()[0].field, field);
    }
}
