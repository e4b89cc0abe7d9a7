//! A fleet in a folder of its own, and batches to score.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use kycc_embed::{Fleet, FleetConfig};
use kycc_proto::features::v1::feature_service_client::FeatureServiceClient;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{LaunchRunRequest, RunStatus, WatchRunRequest};
use kycc_proto::scoring::v1::scoring_service_client::ScoringServiceClient;
use kycc_proto::scoring::v1::{ListScoresRequest, Score};
use kycc_rpc::ClientError;
use serde_json::{Value, json};
use tonic::transport::Channel;

pub(crate) type Scoring = ScoringServiceClient<Channel>;

pub(crate) struct Place {
    folder: tempfile::TempDir,
    fleet: Option<Fleet>,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Self {
            folder,
            fleet: None,
        };
        place.start().await;
        place
    }

    async fn start(&mut self) {
        let mut config = FleetConfig::embedded(self.folder.path().join("data"));
        config.allowed_roots.push(self.folder.path().to_owned());
        self.fleet = Some(Box::pin(Fleet::in_process(config)).await.unwrap());
    }

    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(fleet) = self.fleet.take() {
            fleet.shutdown().await;
        }
    }

    pub(crate) fn fleet(&self) -> &Fleet {
        self.fleet.as_ref().unwrap()
    }

    pub(crate) fn scoring(&self) -> Scoring {
        ScoringServiceClient::new(self.fleet().channel())
    }

    pub(crate) fn features(&self) -> FeatureServiceClient<Channel> {
        FeatureServiceClient::new(self.fleet().channel())
    }

    /// Writes a batch of that as-of.
    pub(crate) fn write(&self, batch: &str, parties: u64, seed: u64, as_of: &str) -> PathBuf {
        let mut spec = kycc_synthetic::Spec::new(batch, parties, seed);
        spec.generated_at = as_of.parse::<DateTime<Utc>>().unwrap();
        spec.transactions_per_party = 5.0;
        kycc_synthetic::write(&spec, self.folder.path())
            .unwrap()
            .source
    }

    /// From the document to scores. Returns when the run is told to have ended, and not a moment later.
    pub(crate) async fn score(&self, batch: &str, parties: u64, seed: u64, as_of: &str) {
        let source = self.write(batch, parties, seed, as_of);
        let ingest = json!({"batch_id": batch, "source_uri": source});
        let config = json!({"ops": {"ingest_synthetic_batch": {"config": ingest}}});
        self.run("ingest_job", batch, config).await;
        self.run("feature_job", batch, json!({})).await;
        self.run("scoring_job", batch, json!({})).await;
    }

    /// The same features by other rules: everybody gets so many points more.
    pub(crate) async fn rescore(&self, batch: &str, points: f64) {
        let rule = json!({
            "name": "lift", "priority": 1, "condition": "score > 0.0", "action": "adjust_score", "value": points,
        });
        let config = json!({"ops": {"score_batch": {"config": {"rules": [rule]}}}});
        self.run("scoring_job", batch, config).await;
    }

    /// The same features by the rules that they were scored by first: a version that is there already.
    pub(crate) async fn score_again(&self, batch: &str) {
        self.run("scoring_job", batch, json!({})).await;
    }

    async fn run(&self, job: &str, batch: &str, config: Value) {
        let mut client = OrchestratorServiceClient::new(self.fleet().channel());
        let request = LaunchRunRequest {
            job: job.to_owned(),
            batch_id: batch.to_owned(),
            run_config_json: config.to_string(),
            ..LaunchRunRequest::default()
        };
        let run = client
            .launch_run(request)
            .await
            .unwrap()
            .into_inner()
            .run
            .unwrap();
        let request = WatchRunRequest {
            run_id: run.run_id,
            after_sequence: 0,
        };
        let mut events = client.watch_run(request).await.unwrap().into_inner();
        while let Some(said) = events.message().await.unwrap() {
            if let Some(run) = said.run {
                assert_eq!(run.status(), RunStatus::Success, "{:?}", run.failure);
                return;
            }
        }
        panic!("the run was followed to no end");
    }

    /// Every score of a batch, page by page.
    pub(crate) async fn all(&self, batch: &str) -> Vec<Score> {
        let (mut found, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListScoresRequest {
                batch_id: batch.to_owned(),
                page_size: 77,
                page_token,
                ..ListScoresRequest::default()
            };
            let page = self
                .scoring()
                .list_scores(request)
                .await
                .unwrap()
                .into_inner();
            found.extend(page.scores);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                assert_eq!(found.len() as u64, page.total_size);
                return found;
            }
        }
    }
}

pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) -> ClientError {
    ClientError::from(answer.unwrap_err())
}

/// The one field that a refusal names.
pub(crate) fn field<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) -> String {
    let error = refused(answer);
    assert_eq!(error.code(), tonic::Code::InvalidArgument, "{error}");
    error.violations()[0].field.clone()
}
