//! Scores that have been published: which version is a batch's current one, and its rows in memory.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type};
use kycc_domain::card::Scorecard;
use kycc_domain::ids::{BatchId, DatasetName};
use kycc_lake::datasets::FEATURE_VECTORS;
use kycc_lake::{Lake, Metadata, PartyTable, PartyTables, VersionId};
use kycc_proto::orchestrator::v1::GetMaterializationRequest;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_rpc::ApiError;
use serde_json::Value;
use tonic::Status;
use tonic::transport::Channel;

/// Versions held in memory at once.
const HELD: usize = 4;

/// Finds and holds published scores.
#[derive(Debug)]
pub(crate) struct PublishedScores {
    channel: Channel,
    lake: Lake,
    tables: PartyTables,
}

/// The current scores of one batch.
#[derive(Debug)]
pub(crate) struct BatchScores {
    pub(crate) batch: String,
    pub(crate) metadata: Metadata,
    pub(crate) version: VersionId,
}

impl PublishedScores {
    pub(crate) fn new(channel: Channel, lake: Lake) -> Self {
        Self {
            channel,
            tables: PartyTables::new(lake.clone(), HELD),
            lake,
        }
    }

    /// The current scores of `batch`; of the batch scored last where it is empty.
    pub(crate) async fn current(&self, batch: &str) -> Result<BatchScores, Status> {
        let request = GetMaterializationRequest {
            asset: "score_batch".into(),
            batch_id: batch.to_owned(),
        };
        let made = OrchestratorServiceClient::new(self.channel.clone())
            .get_materialization(request)
            .await;
        let made = made
            .map_err(|status| not_scored(status, batch))?
            .into_inner()
            .materialization;
        let output = made
            .into_iter()
            .flat_map(|made| made.outputs)
            .find(|output| output.dataset == "scores");
        let output = output.ok_or_else(|| ApiError::not_found("scored batch", batch))?;
        let version = VersionId {
            dataset: DatasetName::new(output.dataset)
                .map_err(|error| ApiError::internal(&error))?,
            batch: BatchId::new(output.batch_id.clone())
                .map_err(|error| ApiError::internal(&error))?,
            key: output.key,
        };
        let manifest = self
            .lake
            .existing(&version)
            .await
            .map_err(|error| ApiError::internal(&error))?;
        Ok(BatchScores {
            batch: output.batch_id,
            metadata: manifest.metadata,
            version,
        })
    }

    /// The rows of those scores.
    pub(crate) async fn rows(&self, scores: &BatchScores) -> Result<Arc<PartyTable>, Status> {
        Ok(self
            .tables
            .get(&scores.version)
            .await
            .map_err(|error| ApiError::internal(&error))?)
    }

    /// The feature vectors that were scored, in the same order.
    pub(crate) async fn features(&self, scores: &BatchScores) -> Result<Arc<PartyTable>, Status> {
        let key = scores
            .metadata
            .get("features_version")
            .and_then(Value::as_str);
        let version = VersionId {
            dataset: FEATURE_VECTORS.dataset_name(),
            batch: scores.version.batch.clone(),
            key: key.unwrap_or_default().to_owned(),
        };
        Ok(self
            .tables
            .get(&version)
            .await
            .map_err(|error| ApiError::internal(&error))?)
    }
}

fn not_scored(status: Status, batch: &str) -> Status {
    if status.code() != tonic::Code::NotFound {
        return status;
    }
    if batch.is_empty() {
        ApiError::precondition(
            "NOTHING_SCORED",
            "no batch has been scored yet; run full_scoring_job or scoring_job",
        )
        .into()
    } else {
        ApiError::not_found("scored batch", batch).into()
    }
}

/// The card that made the scores.
pub(crate) fn card(scores: &BatchScores) -> Result<Scorecard, Status> {
    let card = scores.metadata.get("card").cloned().unwrap_or_default();
    Ok(serde_json::from_value(card).map_err(|error| ApiError::internal(&error))?)
}

/// A column of numbers or text, whose type the dataset's schema promises.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) rows: &'a RecordBatch,
    pub(crate) at: usize,
}

impl<'a> Row<'a> {
    fn column(&self, name: &str) -> &'a dyn Array {
        self.rows
            .column_by_name(name)
            .expect("a version read whole has every column of its dataset")
    }

    pub(crate) fn text(&self, name: &str) -> &'a str {
        self.column(name).as_string::<i32>().value(self.at)
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.column(name)
            .as_primitive::<Float64Type>()
            .value(self.at)
    }

    pub(crate) fn optional_number(&self, name: &str) -> Option<f64> {
        let column = self.column(name);
        column
            .is_valid(self.at)
            .then(|| column.as_primitive::<Float64Type>().value(self.at))
    }

    pub(crate) fn whole(&self, name: &str) -> i32 {
        self.column(name).as_primitive::<Int32Type>().value(self.at)
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let list = self.column(name).as_list::<i32>().value(self.at);
        list.as_string::<i32>()
            .iter()
            .flatten()
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        let list = self.column(name).as_list::<i32>().value(self.at);
        list.as_primitive::<Float64Type>().values().to_vec()
    }
}
