//! IngestionService: imports are runs of `ingest_job`; what has been ingested is what the orchestrator materialized.

use std::collections::BTreeSet;

use chrono::DateTime;
use kycc_domain::ids::BatchId;
use kycc_lake::Lake;
use kycc_lake::datasets::REJECTED;
use kycc_proto::ingestion::v1::ingestion_service_server::IngestionService;
use kycc_proto::ingestion::v1::{
    AbortBatchRequest, AbortBatchResponse, Batch, CommitBatchRequest, CommitBatchResponse,
    CreateBatchRequest, CreateBatchResponse, GetBatchRequest, GetBatchResponse, GetUploadRequest,
    GetUploadResponse, ImportBatchRequest, ImportBatchResponse, ListBatchesRequest,
    ListBatchesResponse, ListRejectedRecordsRequest, ListRejectedRecordsResponse,
    ListUploadsRequest, ListUploadsResponse, UploadRecordsRequest, ValidateBatchRequest,
    ValidateBatchResponse,
};
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{
    GetMaterializationRequest, ListMaterializationsRequest, Materialization,
};
use kycc_proto::work::v1::metadata_entry::Value as Entry;
use kycc_rpc::{ApiError, principal};
use prost_types::Timestamp;
use serde_json::{Map, json};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};

use super::rejected;
use super::task::ASSET;
use super::upload::{Uploads, stream};
use super::validate::Validator;
use crate::config::IngestConfig;
use crate::core::time;
use crate::source::Source;
use crate::source::roots::Roots;

#[derive(Clone)]
pub(crate) struct Ingestion {
    pub(crate) roots: Roots,
    pub(crate) lake: Lake,
    pub(crate) orchestrator: OrchestratorServiceClient<Channel>,
    pub(crate) uploads: Uploads,
    pub(crate) validator: Validator,
}

#[tonic::async_trait]
impl IngestionService for Ingestion {
    type UploadRecordsStream = stream::Answers;

    async fn create_batch(
        &self,
        request: Request<CreateBatchRequest>,
    ) -> Result<Response<CreateBatchResponse>, Status> {
        let created_by = principal(&request).to_string();
        let created = self.uploads.create(request.into_inner(), created_by).await;
        Ok(Response::new(created?))
    }

    async fn upload_records(
        &self,
        request: Request<Streaming<UploadRecordsRequest>>,
    ) -> Result<Response<Self::UploadRecordsStream>, Status> {
        let answers = self.uploads.upload_records(request.into_inner())?;
        Ok(Response::new(answers))
    }

    async fn commit_batch(
        &self,
        request: Request<CommitBatchRequest>,
    ) -> Result<Response<CommitBatchResponse>, Status> {
        let by = principal(&request);
        let committed = self.uploads.commit(request.into_inner(), &by).await?;
        Ok(Response::new(committed))
    }

    async fn abort_batch(
        &self,
        request: Request<AbortBatchRequest>,
    ) -> Result<Response<AbortBatchResponse>, Status> {
        let aborted = self.uploads.abort(request.into_inner()).await?;
        Ok(Response::new(aborted))
    }

    async fn get_upload(
        &self,
        request: Request<GetUploadRequest>,
    ) -> Result<Response<GetUploadResponse>, Status> {
        let found = self.uploads.get(request.into_inner()).await?;
        Ok(Response::new(found))
    }

    async fn list_uploads(
        &self,
        request: Request<ListUploadsRequest>,
    ) -> Result<Response<ListUploadsResponse>, Status> {
        let listed = self.uploads.list(request.into_inner()).await?;
        Ok(Response::new(listed))
    }

    async fn validate_batch(
        &self,
        request: Request<Streaming<ValidateBatchRequest>>,
    ) -> Result<Response<ValidateBatchResponse>, Status> {
        let judged = self.validator.validate(request.into_inner()).await?;
        Ok(Response::new(judged))
    }

    async fn import_batch(
        &self,
        request: Request<ImportBatchRequest>,
    ) -> Result<Response<ImportBatchResponse>, Status> {
        let principal = principal(&request);
        let request = request.into_inner();
        let batch = batch_id(&request.batch_id)?;
        let config = config_of(&request)?;
        self.check_source(&batch, &request)?;
        let launcher = &self.uploads.launcher;
        let ingest = launcher.ingest(&batch, config, request.request_id, &principal);
        let run_id = ingest.await?;
        Ok(Response::new(ImportBatchResponse { run_id }))
    }

    async fn get_batch(
        &self,
        request: Request<GetBatchRequest>,
    ) -> Result<Response<GetBatchResponse>, Status> {
        let batch = batch_id(&request.into_inner().batch_id)?;
        let found = self.current(&batch).await?;
        Ok(Response::new(GetBatchResponse {
            batch: Some(batch_of(found)),
        }))
    }

    async fn list_batches(
        &self,
        request: Request<ListBatchesRequest>,
    ) -> Result<Response<ListBatchesResponse>, Status> {
        let request = request.into_inner();
        let wanted = ListMaterializationsRequest {
            asset: ASSET.to_owned(),
            batch_id: String::new(),
            page_size: request.page_size,
            page_token: request.page_token,
        };
        let found = self
            .orchestrator
            .clone()
            .list_materializations(wanted)
            .await?
            .into_inner();
        let mut seen = BTreeSet::new();
        let newest = found
            .materializations
            .into_iter()
            .filter(|found| seen.insert(found.batch_id.clone()));
        Ok(Response::new(ListBatchesResponse {
            batches: newest.map(batch_of).collect(),
            next_page_token: found.next_page_token,
        }))
    }

    async fn list_rejected_records(
        &self,
        request: Request<ListRejectedRecordsRequest>,
    ) -> Result<Response<ListRejectedRecordsResponse>, Status> {
        let request = request.into_inner();
        let batch = batch_id(&request.batch_id)?;
        let found = self.current(&batch).await?;
        let mut outputs = found.outputs.into_iter();
        let page = match outputs.find(|output| output.dataset == REJECTED.name) {
            Some(output) => {
                let id = REJECTED.version(batch, output.key);
                rejected::page(&self.lake, &id, &request).await?
            }
            None => ListRejectedRecordsResponse::default(),
        };
        Ok(Response::new(page))
    }
}

impl Ingestion {
    /// What ingestion made of the batch last.
    async fn current(&self, batch: &BatchId) -> Result<Materialization, Status> {
        let wanted = GetMaterializationRequest {
            asset: ASSET.to_owned(),
            batch_id: batch.to_string(),
        };
        let found = match self.orchestrator.clone().get_materialization(wanted).await {
            Ok(found) => found.into_inner().materialization,
            Err(status) if status.code() == Code::NotFound => None,
            Err(status) => return Err(status),
        };
        found.ok_or_else(|| {
            let advice = "run ingest_job or full_scoring_job for it";
            ApiError::not_found_yet("batch", batch.as_str(), advice).into()
        })
    }

    /// Tells the caller at once what the run would only find out later.
    fn check_source(&self, batch: &BatchId, request: &ImportBatchRequest) -> Result<(), ApiError> {
        let config = IngestConfig {
            source_uri: Some(request.source_uri.clone()),
            labels_uri: Some(request.labels_uri.clone()),
            ..IngestConfig::default()
        };
        match Source::find(&self.roots, batch, &config) {
            Ok(_) => Ok(()),
            Err(error) => Err(ApiError::invalid(error.field(), error.to_string())),
        }
    }
}

pub(super) fn batch_id(text: &str) -> Result<BatchId, ApiError> {
    BatchId::new(text).map_err(|error| ApiError::invalid("batch_id", error.to_string()))
}

/// What the request gives, and nothing that it leaves to the defaults.
fn config_of(request: &ImportBatchRequest) -> Result<Map<String, serde_json::Value>, ApiError> {
    let mut config = Map::new();
    config.insert("batch_id".to_owned(), json!(request.batch_id));
    if !request.source_uri.is_empty() {
        config.insert("source_uri".to_owned(), json!(request.source_uri));
    }
    if !request.labels_uri.is_empty() {
        config.insert("labels_uri".to_owned(), json!(request.labels_uri));
    }
    if let Some(text) = as_of_text(request.as_of_time.as_ref())? {
        config.insert("as_of".to_owned(), json!(text));
    }
    Ok(config)
}

/// As a run's config gives it.
pub(super) fn as_of_text(time: Option<&Timestamp>) -> Result<Option<String>, ApiError> {
    let Some(time) = time else {
        return Ok(None);
    };
    let nanos = u32::try_from(time.nanos).ok();
    let time = nanos.and_then(|nanos| DateTime::from_timestamp(time.seconds, nanos));
    let text = time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true));
    let text = text.filter(|text| time::parse(text).is_ok());
    let refused = || ApiError::invalid("as_of_time", "lies outside the years 1600 to 2999");
    text.map(Some).ok_or_else(refused)
}

fn batch_of(found: Materialization) -> Batch {
    let as_of = found.metadata.iter().find(|entry| entry.label == "as_of");
    let as_of = as_of.and_then(|entry| match &entry.value {
        Some(Entry::TextValue(text)) => time::parse(text).ok(),
        _ => None,
    });
    Batch {
        batch_id: found.batch_id,
        version_key: found.version_key,
        run_id: found.run_id,
        create_time: found.create_time,
        as_of_time: as_of.map(|micros| prost_types::Timestamp {
            seconds: micros.div_euclid(1_000_000),
            nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32,
        }),
        datasets: found.outputs,
        metadata: found.metadata,
    }
}
