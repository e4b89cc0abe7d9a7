//! Processes with the ingestion service on one landing folder and one store, and callers that send to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kycc_domain::ids::BatchId;
use kycc_proto::ingestion::v1 as proto;
use kycc_proto::ingestion::v1::ingestion_service_client::IngestionServiceClient;
use kycc_proto::ingestion::v1::ingestion_service_server::IngestionServiceServer;
use kycc_proto::ingestion::v1::record_block::Records;
use kycc_proto::ingestion::v1::upload_records_request::Message;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_rpc::{ChannelOptions, ClientError, Principal, RunningServer, ServerOptions, Services};
use kycc_runtime::{Clock, Spawner};
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::super::harness::Bench;
use crate::handlers::grpc::Ingestion;
use crate::handlers::launch::Launcher;
use crate::handlers::upload::Uploads;
use crate::handlers::validate::Validator;
use crate::landed::Landed;
use crate::limits::Limits;
use crate::source::roots::Roots;
use crate::store::{MIGRATIONS, UploadStore};

pub(super) const SOON: Duration = Duration::from_secs(20);
/// The as-of of [`batch`](super::super::harness::batch).
pub(super) const AS_OF: i64 = 1_767_139_200;

/// Time goes on when the test says so.
#[derive(Debug)]
pub(super) struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    pub(super) fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// Runs that were launched: config by request id.
#[derive(Debug, Default)]
pub(super) struct Launches {
    pub(super) by_request: Mutex<BTreeMap<String, Value>>,
    /// Launches, and then the answer is lost.
    pub(super) lose_next: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl Launcher for Launches {
    async fn ingest(
        &self,
        _: &BatchId,
        config: Map<String, Value>,
        request_id: String,
        _: &Principal,
    ) -> Result<String, Status> {
        let run_id = format!("run-of-{request_id}");
        let before = self
            .by_request
            .lock()
            .unwrap()
            .insert(request_id, Value::Object(config.clone()));
        assert!(before.is_none_or(|before| before == Value::Object(config)));
        if self
            .lose_next
            .swap(false, std::sync::atomic::Ordering::SeqCst)
        {
            return Err(Status::unavailable("the answer was lost"));
        }
        Ok(run_id)
    }
}

/// What the processes of a fleet share.
pub(super) struct Place {
    pub(super) bench: Bench,
    pub(super) store: Arc<dyn UploadStore>,
    pub(super) launches: Arc<Launches>,
    pub(super) clock: Arc<TestClock>,
}

/// One process.
pub(super) struct Process {
    pub(super) uploads: Uploads,
    pub(super) client: IngestionServiceClient<Channel>,
    server: RunningServer,
    spawner: Spawner,
}

impl Place {
    pub(super) async fn new() -> Self {
        let store = kycc_store::sqlite::Store::open("sqlite::memory:")
            .await
            .unwrap();
        store.migrate("ingestion", &MIGRATIONS).await.unwrap();
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Self {
            bench: Bench::new(),
            store: Arc::new(store),
            launches: Arc::default(),
            clock: Arc::new(TestClock(Mutex::new(start))),
        }
    }

    pub(super) async fn process(&self) -> Process {
        self.process_with(Limits::default(), Arc::clone(&self.store))
            .await
    }

    pub(super) async fn process_with(
        &self,
        limits: Limits,
        store: Arc<dyn UploadStore>,
    ) -> Process {
        let spawner = Spawner::new();
        let roots = Roots::new(self.bench.landing.path(), &[]);
        let uploads = Uploads {
            store,
            landed: Landed::new(roots.landing()),
            launcher: Arc::clone(&self.launches) as Arc<dyn Launcher>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            spawner: spawner.clone(),
            limits,
            places: Arc::new(Semaphore::new(limits.calls)),
        };
        let nobody = kycc_rpc::connect_lazy("127.0.0.1:1", &ChannelOptions::default()).unwrap();
        let service = Ingestion {
            roots: roots.clone(),
            lake: self.bench.lake.clone(),
            orchestrator: OrchestratorServiceClient::new(nobody),
            uploads: uploads.clone(),
            validator: Validator {
                roots,
                uploads: uploads.clone(),
                sources: Arc::new(Semaphore::new(limits.sources)),
            },
        };
        let mut services = Services::default();
        services.add(IngestionServiceServer::new(service));
        let bound = kycc_rpc::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let address = bound.addr().to_string();
        let server = bound
            .serve(services, ServerOptions::default())
            .await
            .unwrap();
        let channel = kycc_rpc::connect_lazy(&address, &ChannelOptions::default()).unwrap();
        Process {
            uploads,
            client: IngestionServiceClient::new(channel),
            server,
            spawner,
        }
    }
}

impl Process {
    pub(super) async fn create(&self, request_id: &str) -> Result<proto::Upload, ClientError> {
        let request = proto::CreateBatchRequest {
            batch_id: "B1".to_owned(),
            as_of_time: Some(seconds(AS_OF)),
            request_id: request_id.to_owned(),
            ..proto::CreateBatchRequest::default()
        };
        let created = self.client.clone().create_batch(request).await?;
        Ok(created.into_inner().upload.unwrap())
    }

    pub(super) async fn get(&self, upload: &proto::Upload) -> proto::Upload {
        let request = proto::GetUploadRequest {
            upload_id: upload.upload_id.clone(),
        };
        let found = self.client.clone().get_upload(request).await.unwrap();
        found.into_inner().upload.unwrap()
    }

    pub(super) async fn commit(
        &self,
        upload: &proto::Upload,
    ) -> Result<proto::CommitBatchResponse, ClientError> {
        let request = proto::CommitBatchRequest {
            upload_id: upload.upload_id.clone(),
            ..proto::CommitBatchRequest::default()
        };
        Ok(self
            .client
            .clone()
            .commit_batch(request)
            .await?
            .into_inner())
    }

    pub(super) async fn abort(&self, upload: &proto::Upload) -> Result<(), ClientError> {
        let request = proto::AbortBatchRequest {
            upload_id: upload.upload_id.clone(),
            ..proto::AbortBatchRequest::default()
        };
        self.client.clone().abort_batch(request).await?;
        Ok(())
    }

    pub(super) async fn stream(&self, upload: &proto::Upload, stream: &str) -> Call {
        self.call(Message::Start(proto::UploadStart {
            upload_id: upload.upload_id.clone(),
            stream_id: stream.to_owned(),
        }))
        .await
    }

    pub(super) async fn call(&self, first: Message) -> Call {
        let (messages, to_send) = mpsc::channel(1);
        messages.send(request(first)).await.unwrap();
        let answers = self
            .client
            .clone()
            .upload_records(ReceiverStream::new(to_send))
            .await
            .unwrap()
            .into_inner();
        Call { messages, answers }
    }

    /// Sends a whole stream, from where it goes on, and waits until all of it is durable.
    pub(super) async fn send(
        &self,
        upload: &proto::Upload,
        stream: &str,
        blocks: &[(proto::Table, String)],
    ) {
        let mut call = self.stream(upload, stream).await;
        let mut next = call.next().await.unwrap().committed_offset;
        let start = next;
        let mut offset = 0;
        for (table, lines) in blocks {
            let records = lines.lines().count() as u64;
            if offset + records > start {
                call.block(offset, *table, lines).await;
            }
            offset += records;
        }
        let Call {
            messages,
            mut answers,
        } = call;
        drop(messages);
        while let Some(answer) = answers.message().await.unwrap() {
            next = answer.committed_offset;
        }
        assert_eq!(next, offset);
    }

    /// As a rolling restart does it: work is told to end, then connections close.
    pub(super) async fn stop(self) {
        assert!(self.spawner.stop(SOON).await);
        self.server.stop(Duration::from_secs(1)).await;
    }
}

/// One call of UploadRecords.
pub(super) struct Call {
    pub(super) messages: mpsc::Sender<proto::UploadRecordsRequest>,
    pub(super) answers: Streaming<proto::UploadRecordsResponse>,
}

impl Call {
    pub(super) async fn block(&self, offset: u64, table: proto::Table, lines: &str) {
        let sent = self.messages.send(block(offset, table, lines)).await;
        // An ended call says why in its answers.
        let _ = sent;
    }

    pub(super) async fn next(&mut self) -> Result<proto::UploadRecordsResponse, ClientError> {
        match tokio::time::timeout(SOON, self.answers.message())
            .await
            .unwrap()
        {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => panic!("the call ended without an error"),
            Err(status) => Err(status.into()),
        }
    }

    /// Waits until all before `offset` are durable; returns what was said of bad records.
    pub(super) async fn until(&mut self, offset: u64) -> Vec<proto::RecordError> {
        let mut errors = Vec::new();
        loop {
            let answer = self.next().await.unwrap();
            errors.extend(answer.errors);
            if answer.committed_offset == offset {
                return errors;
            }
            assert!(
                answer.committed_offset < offset,
                "{}",
                answer.committed_offset
            );
        }
    }

    /// Reads answers up to the error that ends the call.
    pub(super) async fn error(&mut self) -> ClientError {
        loop {
            if let Err(error) = self.next().await {
                return error;
            }
        }
    }
}

pub(super) fn request(message: Message) -> proto::UploadRecordsRequest {
    proto::UploadRecordsRequest {
        message: Some(message),
    }
}

pub(super) fn ndjson(offset: u64, table: proto::Table, lines: &str) -> proto::RecordBlock {
    proto::RecordBlock {
        offset,
        records: Some(Records::Ndjson(proto::NdjsonRecords {
            table: table.into(),
            lines: lines.as_bytes().to_vec(),
        })),
    }
}

pub(super) fn block(offset: u64, table: proto::Table, lines: &str) -> proto::UploadRecordsRequest {
    request(Message::Records(ndjson(offset, table, lines)))
}

pub(super) fn seconds(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}

pub(super) fn party(n: u64) -> String {
    format!(
        "{{\"party_id\": \"P{n}\", \"name\": \"Party {n}\", \"party_type\": \"supplier\", \"created_at\": \"2020-01-01\"}}\n"
    )
}

pub(super) fn parties(range: std::ops::Range<u64>) -> String {
    range.map(party).collect()
}

/// The records of a document as blocks of `size`, table by table.
pub(super) fn blocks(batch: &Value, size: usize) -> Vec<(proto::Table, String)> {
    let tables = [
        ("parties", proto::Table::Parties),
        ("accounts", proto::Table::Accounts),
        ("transactions", proto::Table::Transactions),
        ("relationships", proto::Table::Relationships),
    ];
    let mut blocks = Vec::new();
    for (name, table) in tables {
        for records in batch[name].as_array().unwrap().chunks(size) {
            let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
            blocks.push((table, lines));
        }
    }
    blocks
}
