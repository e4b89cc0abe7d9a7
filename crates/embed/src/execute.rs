//! Launches a job through the front door, like any other client, and follows it to its end.

use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{LaunchRunRequest, Run, WatchRunRequest};
use kycc_rpc::ClientError;
use serde_json::Value;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::FinishedRun;

#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    #[error("cannot launch {job}")]
    Launch {
        job: String,
        #[source]
        source: ClientError,
    },
    #[error("cannot follow run {run_id}; it goes on")]
    Follow {
        run_id: String,
        #[source]
        source: ClientError,
    },
    #[error("run {run_id} was followed to no end; the fleet is stopping")]
    NoEnd { run_id: String },
}

pub(crate) async fn job(
    channel: Channel,
    job: &str,
    config: &Value,
) -> Result<FinishedRun, ExecuteError> {
    let mut client = OrchestratorServiceClient::new(channel);
    let request = LaunchRunRequest {
        job: job.to_owned(),
        run_config_json: config.to_string(),
        request_id: Uuid::now_v7().to_string(),
        ..LaunchRunRequest::default()
    };
    let launched = client
        .launch_run(kycc_rpc::traced(request))
        .await
        .map_err(|status| ExecuteError::Launch {
            job: job.to_owned(),
            source: status.into(),
        })?;
    let run_id = launched.into_inner().run.unwrap_or_default().run_id;
    match follow(&mut client, &run_id).await {
        Ok(Some(run)) => Ok(FinishedRun::new(run)),
        Ok(None) => Err(ExecuteError::NoEnd { run_id }),
        Err(status) => Err(ExecuteError::Follow {
            run_id,
            source: status.into(),
        }),
    }
}

/// The last answer of the stream carries the run as it ended.
async fn follow(
    client: &mut OrchestratorServiceClient<Channel>,
    run_id: &str,
) -> Result<Option<Run>, tonic::Status> {
    let request = WatchRunRequest {
        run_id: run_id.to_owned(),
        after_sequence: 0,
    };
    let mut events = client
        .watch_run(kycc_rpc::traced(request))
        .await?
        .into_inner();
    let mut last = None;
    while let Some(answer) = events.message().await? {
        last = answer.run.or(last);
    }
    Ok(last)
}
