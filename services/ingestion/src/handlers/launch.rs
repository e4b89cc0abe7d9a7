//! Launches `ingest_job`.

use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_proto::orchestrator::v1::LaunchRunRequest;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_rpc::{Principal, in_the_name_of};
use serde_json::{Map, Value, json};
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::task::ASSET;

const JOB: &str = "ingest_job";

#[async_trait]
pub(crate) trait Launcher: Send + Sync {
    /// Launches a run of `principal`'s that ingests the batch, and returns its id. The same request id launches it once.
    async fn ingest(
        &self,
        batch: &BatchId,
        config: Map<String, Value>,
        request_id: String,
        principal: &Principal,
    ) -> Result<String, Status>;
}

#[async_trait]
impl Launcher for OrchestratorServiceClient<Channel> {
    async fn ingest(
        &self,
        batch: &BatchId,
        config: Map<String, Value>,
        request_id: String,
        principal: &Principal,
    ) -> Result<String, Status> {
        let launch = LaunchRunRequest {
            job: JOB.to_owned(),
            batch_id: batch.to_string(),
            run_config_json: json!({"ops": {ASSET: {"config": config}}}).to_string(),
            request_id,
            ..LaunchRunRequest::default()
        };
        let launch = in_the_name_of(principal, Request::new(launch));
        let launched = self.clone().launch_run(launch).await?.into_inner();
        Ok(launched.run.map(|run| run.run_id).unwrap_or_default())
    }
}
