//! From an upload to datasets, and what each state allows.

use std::sync::atomic::Ordering;
use std::time::Duration;

use kycc_proto::ingestion::v1::Table::Parties;
use kycc_proto::ingestion::v1::{self as proto, UploadState};
use serde_json::{Value, json};
use tonic::Code;

use super::super::harness::{batch, push, transaction, write};
use super::harness::{AS_OF, Place, blocks, parties, seconds};

/// A batch with every kind of trouble: bad records, records of one id, one after the as-of.
fn troubled() -> Value {
    let mut batch = batch();
    push(
        &mut batch,
        "transactions",
        transaction("T001", json!({"amount": 77})),
    );
    push(
        &mut batch,
        "transactions",
        transaction("T900", json!({"amount": "x"})),
    );
    push(
        &mut batch,
        "transactions",
        transaction("T901", json!({"ts": "2026-06-01"})),
    );
    push(
        &mut batch,
        "parties",
        json!({"party_id": "P2", "name": "again", "party_type": "retailer", "created_at": "2011-01-01"}),
    );
    batch
}

#[tokio::test]
async fn an_uploaded_batch_equals_the_same_batch_imported_as_a_folder() {
    let place = Place::new().await;
    let (first, second) = (place.process().await, place.process().await);
    let batch = troubled();
    let config = json!({"max_rejected_share": 0.5});

    let folder = place.bench.path("folder");
    for (table, lines) in blocks(&batch, usize::MAX) {
        let table = table
            .as_str_name()
            .trim_start_matches("TABLE_")
            .to_lowercase();
        write(
            &folder,
            &format!("B1_{table}.ndjson"),
            lines.lines().map(str::to_owned),
        );
    }
    let header = json!({"batch_id": "B1", "generated_at": "2025-12-31T00:00:00Z"});
    write(&folder, "B1_batch.json", [header.to_string()]);
    let mut imported = config.clone();
    imported["source_uri"] = json!("folder");
    let imported = place.bench.run(imported).await.unwrap();

    let upload = first.create("").await.unwrap();
    first.send(&upload, "s", &blocks(&batch, 3)).await;
    let committed = second.commit(&upload).await.unwrap();
    assert_eq!(
        committed.run_id,
        format!("run-of-upload-{}", upload.upload_id)
    );
    let launched = place.launches.by_request.lock().unwrap().clone();
    let mut uploaded = launched.into_values().next().unwrap();
    uploaded["max_rejected_share"] = config["max_rejected_share"].clone();
    let uploaded = place.bench.run(uploaded).await.unwrap();

    assert_eq!(uploaded.data_digests(), imported.data_digests());
    assert_eq!(
        uploaded.counts("transactions"),
        imported.counts("transactions")
    );
    let columns = ["table_name", "field", "code", "reason", "record"];
    let rejected = uploaded.rows("rejected", &columns).await;
    assert_eq!(rejected, imported.rows("rejected", &columns).await);
    assert!(!rejected.is_empty());
    // File and line tell the stream and the offset.
    let places = uploaded.rows("rejected", &["file", "row"]).await;
    assert!(
        places[0].starts_with("B1_transactions_s+00000000000000"),
        "{places:?}"
    );
}

#[tokio::test]
async fn creating_again_finds_the_same_upload_and_another_wish_is_refused() {
    let place = Place::new().await;
    let (first, second) = (place.process().await, place.process().await);
    let upload = first.create("once").await.unwrap();
    assert_eq!(second.create("once").await.unwrap(), upload);
    let other = proto::CreateBatchRequest {
        batch_id: "B2".to_owned(),
        request_id: "once".to_owned(),
        ..proto::CreateBatchRequest::default()
    };
    let error = first.client.clone().create_batch(other).await.unwrap_err();
    let error = kycc_rpc::ClientError::from(error);
    assert_eq!(
        (error.code(), error.reason()),
        (Code::FailedPrecondition, "REQUEST_ID_REUSED")
    );
    let error = second.create("twice").await.unwrap_err();
    assert_eq!(error.reason(), "UPLOAD_EXISTS");
    assert!(error.message().contains(&upload.upload_id), "{error}");
    // What is refused leaves no folder behind.
    let folders = std::fs::read_dir(place.bench.path(".uploads")).unwrap();
    assert_eq!(folders.count(), 1);
    first.abort(&upload).await.unwrap();
    second.create("twice").await.unwrap();
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_made_again_by_another_process() {
    let place = Place::new().await;
    let (first, second) = (place.process().await, place.process().await);
    let upload = first.create("").await.unwrap();
    first.send(&upload, "s", &[(Parties, parties(0..2))]).await;
    place.launches.lose_next.store(true, Ordering::SeqCst);
    let lost = first.commit(&upload).await.unwrap_err();
    assert_eq!(lost.code(), Code::Unavailable);
    assert_eq!(second.get(&upload).await.state(), UploadState::Committing);
    let (one, other) = tokio::join!(first.commit(&upload), second.commit(&upload));
    assert_eq!(one.unwrap().run_id, other.unwrap().run_id);
    let again = first.commit(&upload).await.unwrap();
    let upload = again.upload.unwrap();
    assert_eq!(
        (upload.state(), upload.run_id),
        (UploadState::Committed, again.run_id)
    );
    assert_eq!(place.launches.by_request.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_is_added_to_a_sealed_or_aborted_upload() {
    let place = Place::new().await;
    let process = place.process().await;
    let upload = process.create("").await.unwrap();
    let mut open = process.stream(&upload, "s").await;
    open.block(0, Parties, &parties(0..2)).await;
    open.until(2).await;
    process.commit(&upload).await.unwrap();
    open.block(2, Parties, &parties(2..3)).await;
    let error = open.error().await;
    assert_eq!(error.reason(), "UPLOAD_NOT_OPEN");
    assert!(error.message().contains("committed"), "{error}");
    let error = process.stream(&upload, "t").await.error().await;
    assert_eq!(error.reason(), "UPLOAD_NOT_OPEN");
    assert_eq!(
        process.abort(&upload).await.unwrap_err().reason(),
        "UPLOAD_NOT_OPEN"
    );

    let given_up = process.create("").await.unwrap();
    let mut open = process.stream(&given_up, "s").await;
    open.block(0, Parties, &parties(0..2)).await;
    open.until(2).await;
    process.abort(&given_up).await.unwrap();
    process.abort(&given_up).await.unwrap();
    open.block(2, Parties, &parties(2..3)).await;
    let error = open.error().await;
    assert_eq!(error.reason(), "UPLOAD_NOT_OPEN");
    assert_eq!(
        process.commit(&given_up).await.unwrap_err().reason(),
        "UPLOAD_NOT_OPEN"
    );
    assert!(
        !place
            .bench
            .path(&format!(".uploads/{}", given_up.upload_id))
            .exists()
    );
}

#[tokio::test]
async fn a_commit_wants_parties_an_instant_and_the_etag_that_stands() {
    let place = Place::new().await;
    let process = place.process().await;
    let request = proto::CreateBatchRequest {
        batch_id: "B1".to_owned(),
        labels: [("source".to_owned(), "crm".to_owned())].into(),
        ..proto::CreateBatchRequest::default()
    };
    let upload = process.client.clone().create_batch(request).await.unwrap();
    let upload = upload.into_inner().upload.unwrap();
    let commit = async |etag: &str, as_of: Option<i64>| {
        let request = proto::CommitBatchRequest {
            upload_id: upload.upload_id.clone(),
            etag: etag.to_owned(),
            as_of_time: as_of.map(seconds),
        };
        let committed = process.client.clone().commit_batch(request).await;
        committed.map_err(kycc_rpc::ClientError::from)
    };
    assert_eq!(
        commit("", None).await.unwrap_err().reason(),
        "AS_OF_MISSING"
    );
    assert_eq!(
        commit("", Some(AS_OF)).await.unwrap_err().reason(),
        "UPLOAD_EMPTY"
    );
    process
        .send(&upload, "s", &[(Parties, parties(0..2))])
        .await;
    let error = commit(&upload.etag, Some(AS_OF)).await.unwrap_err();
    assert_eq!(
        (error.code(), error.reason()),
        (Code::Aborted, "UPLOAD_CHANGED")
    );
    let stands = process.get(&upload).await;
    assert_eq!(stands.labels["source"], "crm");
    let committed = commit(&stands.etag, Some(AS_OF))
        .await
        .unwrap()
        .into_inner();
    // The caller that lost this answer has the etag of before.
    assert_eq!(
        commit(&stands.etag, None).await.unwrap().into_inner(),
        committed
    );
    let header = format!(".uploads/{}/batch/B1_batch.json", upload.upload_id);
    let header = std::fs::read_to_string(place.bench.path(&header)).unwrap();
    assert!(header.contains("2025-12-31T00:00:00"), "{header}");
}

#[tokio::test]
async fn an_upload_that_nobody_touches_expires_and_one_that_is_touched_does_not() {
    let place = Place::new().await;
    let process = place.process().await;
    let left = process.create("").await.unwrap();
    let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
    place.clock.pass(days(6));
    process.send(&left, "s", &[(Parties, parties(0..2))]).await;
    place.clock.pass(days(6));
    assert_eq!(process.uploads.tidy().await.unwrap(), 0);
    place.clock.pass(days(2));
    assert_eq!(process.uploads.tidy().await.unwrap(), 1);
    let seen = process.get(&left).await;
    assert_eq!(seen.state(), UploadState::Expired);
    assert!(
        !place
            .bench
            .path(&format!(".uploads/{}", left.upload_id))
            .exists()
    );
    assert_eq!(
        process.stream(&left, "s").await.error().await.reason(),
        "UPLOAD_NOT_OPEN"
    );
    process.create("").await.unwrap();
}

#[tokio::test]
async fn uploads_are_listed_newest_first_in_pages_and_by_state() {
    let place = Place::new().await;
    let process = place.process().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let upload = process.create("").await.unwrap();
        process.abort(&upload).await.unwrap();
        ids.insert(0, upload.upload_id);
        place.clock.pass(Duration::from_secs(1));
    }
    let open = process.create("").await.unwrap();
    let list = async |state: UploadState, page_token: String| {
        let request = proto::ListUploadsRequest {
            batch_id: "B1".to_owned(),
            state: state.into(),
            page_size: 2,
            page_token,
        };
        process
            .client
            .clone()
            .list_uploads(request)
            .await
            .unwrap()
            .into_inner()
    };
    let first = list(UploadState::Aborted, String::new()).await;
    let second = list(UploadState::Aborted, first.next_page_token.clone()).await;
    let listed: Vec<_> = first
        .uploads
        .iter()
        .chain(&second.uploads)
        .map(|it| it.upload_id.clone())
        .collect();
    assert_eq!(listed, ids);
    assert_eq!(second.next_page_token, "");
    let all = list(UploadState::Unspecified, String::new()).await;
    assert_eq!(all.uploads[0].upload_id, open.upload_id);
}
