//! A batch sent record by record goes the same way as one that lies in a folder, also over a restart of the fleet.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::BTreeSet;
use std::path::Path;

use kycc_embed::{FinishedRun, Fleet, FleetConfig};
use kycc_proto::ingestion::v1::ingestion_service_client::IngestionServiceClient;
use kycc_proto::ingestion::v1::record_block::Records;
use kycc_proto::ingestion::v1::upload_records_request::Message;
use kycc_proto::ingestion::v1::{
    CommitBatchRequest, CreateBatchRequest, GetBatchRequest, NdjsonRecords, RecordBlock, Table,
    Upload, UploadRecordsRequest, UploadStart,
};
use kycc_proto::orchestrator::v1::WatchRunRequest;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{Run, RunStatus};
use serde_json::json;

const BATCH: &str = "BATCH_901";
const TABLES: [(Table, &str); 4] = [
    (Table::Parties, "parties"),
    (Table::Accounts, "accounts"),
    (Table::Transactions, "transactions"),
    (Table::Relationships, "relationships"),
];

async fn open(fleet: &Fleet) -> Upload {
    let request = CreateBatchRequest {
        batch_id: BATCH.to_owned(),
        request_id: "nightly".to_owned(),
        ..CreateBatchRequest::default()
    };
    let created = IngestionServiceClient::new(fleet.channel())
        .create_batch(request)
        .await
        .unwrap();
    created.into_inner().upload.unwrap()
}

/// Sends a table as a stream of its own, 1,000 records a message.
async fn send(fleet: &Fleet, upload: &Upload, table: Table, name: &str, folder: &Path) -> u64 {
    let text = std::fs::read_to_string(folder.join(format!("{BATCH}_{name}.ndjson"))).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let mut messages = vec![Message::Start(UploadStart {
        upload_id: upload.upload_id.clone(),
        stream_id: name.to_owned(),
    })];
    for (chunk, number) in lines.chunks(1_000).zip(0u64..) {
        messages.push(Message::Records(RecordBlock {
            offset: number * 1_000,
            records: Some(Records::Ndjson(NdjsonRecords {
                table: table.into(),
                lines: chunk.join("\n").into_bytes(),
            })),
        }));
    }
    let messages = messages.into_iter().map(|message| UploadRecordsRequest {
        message: Some(message),
    });
    let mut answers = IngestionServiceClient::new(fleet.channel())
        .upload_records(tokio_stream::iter(messages.collect::<Vec<_>>()))
        .await
        .unwrap()
        .into_inner();
    let mut committed = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        committed = answer.committed_offset;
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    }
    assert_eq!(committed, lines.len() as u64);
    committed
}

async fn ended(fleet: &Fleet, run_id: String) -> Run {
    let request = WatchRunRequest {
        run_id,
        after_sequence: 0,
    };
    let mut events = OrchestratorServiceClient::new(fleet.channel())
        .watch_run(request)
        .await
        .unwrap()
        .into_inner();
    let mut last = None;
    while let Some(answer) = events.message().await.unwrap() {
        last = answer.run.or(last);
    }
    last.unwrap()
}

/// Digests of the datasets that hold records.
fn digests(run: &Run) -> BTreeSet<(String, String)> {
    let outputs = run.steps.iter().flat_map(|step| &step.outputs);
    let tables = outputs.filter(|output| TABLES.iter().any(|(_, name)| *name == output.dataset));
    tables
        .map(|output| (output.dataset.clone(), output.digest.clone()))
        .collect()
}

#[tokio::test]
async fn an_uploaded_batch_is_ingested_like_its_folder() {
    let place = tempfile::tempdir().unwrap();
    let mut spec = kycc_synthetic::Spec::new(BATCH, 200, 7);
    spec.format = kycc_synthetic::Format::Ndjson;
    let folder = kycc_synthetic::write(&spec, place.path()).unwrap().source;
    let mut config = FleetConfig::embedded(place.path().join("data"));
    config.allowed_roots.push(folder.clone());

    let fleet = Fleet::in_process(config.clone()).await.unwrap();
    let upload = open(&fleet).await;
    send(&fleet, &upload, TABLES[0].0, TABLES[0].1, &folder).await;
    fleet.shutdown().await;

    let fleet = Fleet::in_process(config).await.unwrap();
    let found = open(&fleet).await;
    assert_eq!(found.upload_id, upload.upload_id);
    assert_eq!(found.streams[0].committed_offset, 200);
    for (table, name) in TABLES {
        send(&fleet, &upload, table, name, &folder).await;
    }
    let commit = CommitBatchRequest {
        upload_id: upload.upload_id.clone(),
        as_of_time: Some(prost_types::Timestamp {
            seconds: spec.generated_at.timestamp(),
            nanos: 0,
        }),
        ..CommitBatchRequest::default()
    };
    let mut ingestion = IngestionServiceClient::new(fleet.channel());
    let committed = ingestion.commit_batch(commit.clone()).await.unwrap();
    let committed = committed.into_inner();
    let again = ingestion.commit_batch(commit).await.unwrap().into_inner();
    assert_eq!(again.run_id, committed.run_id);
    let uploaded = ended(&fleet, committed.run_id).await;
    assert_eq!(uploaded.status(), RunStatus::Success, "{uploaded:?}");

    let request = GetBatchRequest {
        batch_id: BATCH.to_owned(),
    };
    let batch = ingestion.get_batch(request).await.unwrap().into_inner();
    assert_eq!(batch.batch.unwrap().run_id, uploaded.run_id);
    let ingest = json!({"batch_id": BATCH, "source_uri": folder});
    let run_config = json!({"ops": {"ingest_synthetic_batch": {"config": ingest}}});
    let imported: FinishedRun = fleet.execute_job("ingest_job", run_config).await.unwrap();
    assert!(imported.succeeded(), "{imported}");
    assert_eq!(digests(&uploaded).len(), TABLES.len());
    assert_eq!(digests(&uploaded), digests(imported.as_proto()));
    fleet.shutdown().await;
}
