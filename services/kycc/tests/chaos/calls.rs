//! A caller who does not give up: asks whichever orchestrator answers.

use std::time::{Duration, Instant};

use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{
    GetRunRequest, LaunchRunRequest, ListRunEventsRequest, ListRunsRequest, Run, RunEvent,
    RunStatus,
};
use kycc_rpc::{ChannelOptions, ClientError, connect_lazy};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::reference::Batch;

const CALL: Duration = Duration::from_secs(5);
const BETWEEN: Duration = Duration::from_millis(100);
/// However bad the trouble, somebody answers within this.
const PATIENCE: Duration = Duration::from_secs(60);

type Orchestrator = OrchestratorServiceClient<Channel>;

pub(crate) struct Front {
    orchestrators: Vec<Orchestrator>,
}

impl Front {
    pub(crate) fn new(addresses: Vec<String>) -> Self {
        let connect = |address: String| {
            let channel = connect_lazy(&address, &ChannelOptions::default()).unwrap();
            OrchestratorServiceClient::new(channel)
        };
        Self {
            orchestrators: addresses.into_iter().map(connect).collect(),
        }
    }

    async fn ask<Q: Clone, A>(
        &self,
        question: Q,
        call: impl AsyncFn(Orchestrator, Request<Q>) -> Result<Response<A>, Status>,
    ) -> A {
        let end = Instant::now() + PATIENCE;
        let mut last = None;
        for orchestrator in self.orchestrators.iter().cycle() {
            let mut request = Request::new(question.clone());
            request.set_timeout(CALL);
            let asked = tokio::time::timeout(CALL, call(orchestrator.clone(), request)).await;
            match asked {
                Ok(Ok(answer)) => return answer.into_inner(),
                Ok(Err(status)) => {
                    let error = ClientError::from(status);
                    assert!(error.is_transient(), "an answer that is final: {error:?}");
                    last = Some(error);
                }
                Err(_) => {}
            }
            assert!(Instant::now() < end, "nobody answers: {last:?}");
            tokio::time::sleep(BETWEEN).await;
        }
        unreachable!("a cycle has no end")
    }

    /// The same request id each time: however often it is asked, one run comes of it.
    pub(crate) async fn launch(&self, batch: &Batch) -> String {
        let question = LaunchRunRequest {
            job: batch.job.to_owned(),
            run_config_json: batch.config.to_string(),
            request_id: uuid::Uuid::new_v4().to_string(),
            ..LaunchRunRequest::default()
        };
        let answer = self
            .ask(question, async |mut at, request| {
                at.launch_run(request).await
            })
            .await;
        answer.run.unwrap().run_id
    }

    pub(crate) async fn run(&self, run_id: &str) -> Run {
        let question = GetRunRequest {
            run_id: run_id.to_owned(),
        };
        let answer = self
            .ask(question, async |mut at, request| at.get_run(request).await)
            .await;
        answer.run.unwrap()
    }

    pub(crate) async fn ended(&self, run_id: &str, patience: Duration) -> Run {
        let end = Instant::now() + patience;
        loop {
            let run = self.run(run_id).await;
            if matches!(
                run.status(),
                RunStatus::Success | RunStatus::Failure | RunStatus::Canceled
            ) {
                return run;
            }
            assert!(
                Instant::now() < end,
                "the run has not ended after {patience:?}: {run:#?}"
            );
            tokio::time::sleep(BETWEEN).await;
        }
    }

    pub(crate) async fn events(&self, run_id: &str) -> Vec<RunEvent> {
        let mut events: Vec<RunEvent> = Vec::new();
        loop {
            let question = ListRunEventsRequest {
                run_id: run_id.to_owned(),
                after_sequence: events.last().map_or(0, |event| event.sequence),
                page_size: 1000,
            };
            let more = self
                .ask(question, async |mut at, request| {
                    at.list_run_events(request).await
                })
                .await
                .events;
            if more.is_empty() {
                return events;
            }
            events.extend(more);
        }
    }

    pub(crate) async fn with_status(&self, status: RunStatus) -> Vec<Run> {
        let question = ListRunsRequest {
            status: status.into(),
            ..ListRunsRequest::default()
        };
        let answer = self
            .ask(question, async |mut at, request| {
                at.list_runs(request).await
            })
            .await;
        answer.runs
    }
}
