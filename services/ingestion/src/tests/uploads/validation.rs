//! `ValidateBatch` says what ingestion would, and keeps nothing.

use kycc_proto::ingestion::v1::Table::{Parties, Transactions};
use kycc_proto::ingestion::v1::validate_batch_request::Message;
use kycc_proto::ingestion::v1::{
    RecordBlock, ValidateBatchRequest, ValidateBatchResponse, ValidateSource,
};
use kycc_rpc::ClientError;
use serde_json::json;
use tonic::Code;

use super::super::harness::{batch, push, transaction};
use super::harness::{Place, Process, ndjson, parties};

async fn validate(
    process: &Process,
    messages: Vec<Message>,
) -> Result<ValidateBatchResponse, ClientError> {
    let messages = messages.into_iter().map(|message| ValidateBatchRequest {
        message: Some(message),
    });
    let messages = tokio_stream::iter(messages.collect::<Vec<_>>());
    Ok(process
        .client
        .clone()
        .validate_batch(messages)
        .await?
        .into_inner())
}

fn source(uri: &str) -> Message {
    Message::Source(ValidateSource {
        batch_id: "B1".to_owned(),
        source_uri: uri.to_owned(),
        ..ValidateSource::default()
    })
}

#[tokio::test]
async fn a_source_is_judged_as_ingestion_judges_it() {
    let place = Place::new().await;
    let process = place.process().await;
    let mut batch = batch();
    for n in 0..12 {
        push(
            &mut batch,
            "transactions",
            transaction(&format!("X{n}"), json!({"amount": "x"})),
        );
    }
    push(
        &mut batch,
        "transactions",
        transaction("X99", json!({"ts": null})),
    );
    place.bench.put("B1_profiles.json", batch.to_string());
    let answer = validate(&process, vec![source("")]).await.unwrap();
    let tables: Vec<_> = answer
        .tables
        .iter()
        .map(|table| (table.table.as_str(), table.records, table.bad_records))
        .collect();
    assert_eq!(
        tables,
        [
            ("parties", 4, 0),
            ("accounts", 4, 0),
            ("transactions", 37, 13),
            ("relationships", 3, 0)
        ]
    );
    let codes: Vec<_> = answer
        .codes
        .iter()
        .map(|it| (it.code.as_str(), it.records))
        .collect();
    assert_eq!(codes, [("WRONG_TYPE", 12), ("MISSING_FIELD", 1)]);
    assert_eq!(answer.first_errors.len(), 11);
    assert_eq!(answer.refusal, None);
    let first = &answer.first_errors[0];
    assert_eq!((first.file.as_str(), first.row), ("B1_profiles.json", 25));
    assert!(!place.bench.path(".uploads").exists());
}

#[tokio::test]
async fn what_refuses_a_source_as_a_whole_is_told_with_its_reason() {
    let place = Place::new().await;
    let process = place.process().await;
    let whole = batch().to_string();
    let mut leaking = batch();
    leaking["parties"][0]["will_default"] = json!(1);
    let mut timeless = batch();
    timeless.as_object_mut().unwrap().remove("generated_at");
    for (text, reason) in [
        (&whole[..whole.len() / 2], "DOCUMENT_TRUNCATED"),
        (&leaking.to_string(), "LABELS_IN_PROFILES"),
        (&timeless.to_string(), "AS_OF_MISSING"),
    ] {
        place.bench.put("B1_profiles.json", text);
        let answer = validate(&process, vec![source("")]).await.unwrap();
        assert_eq!(answer.refusal.unwrap().reason, reason);
    }
}

#[tokio::test]
async fn a_stream_is_judged_by_offset() {
    let place = Place::new().await;
    let process = place.process().await;
    let records = |block: RecordBlock| Message::Records(block);
    let answer = validate(
        &process,
        vec![
            records(ndjson(0, Parties, &parties(0..3))),
            records(ndjson(3, Transactions, "{}\n{\"txn_id\": 1}\n")),
        ],
    )
    .await
    .unwrap();
    assert_eq!(answer.tables.len(), 2);
    assert_eq!(answer.tables[1].bad_records, 2);
    assert_eq!(answer.first_errors[1].row, 5);
    let gap = vec![records(ndjson(1, Parties, &parties(0..3)))];
    assert_eq!(
        validate(&process, gap).await.unwrap_err().reason(),
        "OFFSET_GAP"
    );
    let mixed = vec![source(""), records(ndjson(0, Parties, &parties(0..3)))];
    place.bench.put("B1_profiles.json", batch().to_string());
    let error = validate(&process, mixed).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(
        validate(&process, vec![]).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_uri_leads_nowhere_but_into_the_roots() {
    let place = Place::new().await;
    let process = place.process().await;
    let outside = tempfile::TempDir::new().unwrap();
    let secret = outside.path().join("B1_profiles.json");
    std::fs::write(&secret, batch().to_string()).unwrap();
    std::os::unix::fs::symlink(&secret, place.bench.path("link.json")).unwrap();
    std::os::unix::fs::symlink(outside.path(), place.bench.path("folder")).unwrap();
    let name = outside.path().file_name().unwrap().to_str().unwrap();
    let secret = secret.display().to_string();
    let encoded = format!(
        "file://{}/%2e%2e/{name}/B1_profiles.json",
        place.bench.landing.path().display()
    );
    for uri in [
        secret.as_str(),
        &format!("file://{secret}"),
        &format!("file://localhost{secret}"),
        &format!("FILE://{secret}"),
        &format!("../{name}/B1_profiles.json"),
        &encoded,
        "link.json",
        "folder",
        "/etc/passwd",
        "/dev/zero",
        "/proc/self/environ",
        "http://169.254.169.254/latest/meta-data",
        "https://example.com/x.json",
        "s3://bucket/x.json",
        "ftp://host/x.json",
        "file://host.example/x.json",
        "\\\\host\\share\\x.json",
        "a\0b.json",
        "／etc／passwd",
        "..",
    ] {
        let error = validate(&process, vec![source(uri)]).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{uri:?}");
        let import = kycc_proto::ingestion::v1::ImportBatchRequest {
            batch_id: "B1".to_owned(),
            source_uri: uri.to_owned(),
            ..Default::default()
        };
        let error = process
            .client
            .clone()
            .import_batch(import)
            .await
            .unwrap_err();
        let error = ClientError::from(error);
        assert_eq!(
            error.violations()[0].field,
            "source_uri",
            "{uri:?}: {error}"
        );
    }
    assert!(place.launches.by_request.lock().unwrap().is_empty());
}
