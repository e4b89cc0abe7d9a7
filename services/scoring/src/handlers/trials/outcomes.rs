//! What became of the parties of a scored batch, as far as it was observed and has matured.

use arrow::array::{Array, AsArray, StringArray};
use kycc_domain::ids::BatchId;
use kycc_domain::labels::{Label, LabelSource};
use kycc_lake::LakeError;
use kycc_lake::datasets::LABELS;
use kycc_proto::orchestrator::v1::GetMaterializationRequest;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_rpc::ApiError;
use serde_json::Value;
use tonic::{Code, Status};

use crate::handlers::published::{BatchScores, internal};
use crate::handlers::service::Scoring;

/// The step that labels a batch.
const ASSET: &str = "generate_scorecard_labels";

/// One entry per party of the batch.
#[derive(Debug)]
pub(super) struct Known {
    /// Bad or not; `None` where nothing was observed, or it has not matured.
    pub(super) outcomes: Vec<Option<bool>>,
    /// Why nothing at all is known, where labels cannot say.
    pub(super) why_none: Option<String>,
}

/// From the current labels of the batch.
pub(super) async fn known(
    scoring: &Scoring,
    scores: &BatchScores,
    parties: &StringArray,
) -> Result<Known, Status> {
    let nothing = |why: &str| Known {
        outcomes: vec![None; parties.len()],
        why_none: Some(why.to_owned()),
    };
    let request = GetMaterializationRequest {
        asset: ASSET.into(),
        batch_id: scores.batch.clone(),
    };
    let answer = OrchestratorServiceClient::new(scoring.channel.clone())
        .get_materialization(request)
        .await;
    let made = match answer {
        Ok(made) => made.into_inner().materialization,
        Err(status) if status.code() == Code::NotFound => None,
        Err(status) => return Err(status),
    };
    let outputs = made.into_iter().flat_map(|made| made.outputs);
    let Some(output) = outputs
        .into_iter()
        .find(|output| output.dataset == LABELS.name)
    else {
        return Ok(nothing("the batch has no labels yet"));
    };
    let batch = BatchId::new(output.batch_id).map_err(|error| ApiError::internal(&error))?;
    let version = LABELS.version(batch, output.key);
    let lake = &scoring.published.lake;
    let t0 = match lake.existing(&version).await {
        Ok(manifest) => manifest.metadata.get("t0").and_then(Value::as_i64),
        Err(LakeError::SchemaVersion { .. }) => {
            return Ok(nothing(
                "the labels of the batch are of an older version; label it again",
            ));
        }
        Err(error) => return Err(internal(error)),
    };
    if t0 != scores.as_of() {
        return Ok(nothing(
            "the labels of the batch are of another as-of time than its scores; label it again",
        ));
    }
    let columns = ["party_id", "label", "source"];
    let rows = lake.read(&version, Some(&columns), None).await;
    let rows = rows.map_err(internal)?;
    let column = |at: usize| rows.column(at).as_string::<i32>();
    Ok(Known {
        outcomes: matched(parties, column(0), |at| {
            observed(column(1).value(at), column(2), at)
        }),
        why_none: None,
    })
}

fn observed(label: &str, sources: &StringArray, at: usize) -> Option<bool> {
    if sources.is_null(at) || sources.value(at) != LabelSource::Observed.as_str() {
        return None;
    }
    [(Label::Good, false), (Label::Bad, true)]
        .into_iter()
        .find(|(known, _)| known.as_str() == label)
        .map(|(_, bad)| bad)
}

/// What `of` says of each party by its row in `labelled`; both are in byte order of their parties.
fn matched(
    parties: &StringArray,
    labelled: &StringArray,
    of: impl Fn(usize) -> Option<bool>,
) -> Vec<Option<bool>> {
    let mut next = 0;
    let mut matched = Vec::with_capacity(parties.len());
    for party in parties.iter().flatten() {
        while next < labelled.len() && labelled.value(next) < party {
            next += 1;
        }
        let there = next < labelled.len() && labelled.value(next) == party;
        matched.push(if there { of(next) } else { None });
    }
    matched
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_find_their_parties_where_either_side_has_some_that_the_other_has_not() {
        let parties = StringArray::from(vec!["A", "C", "D", "F"]);
        let labelled = StringArray::from(vec!["A", "B", "D", "E"]);
        let found = matched(&parties, &labelled, |row| Some(row == 2));
        assert_eq!(found, [Some(false), None, Some(true), None]);
        assert_eq!(
            matched(&parties, &StringArray::from(Vec::<&str>::new()), |_| None),
            [None; 4]
        );
    }

    #[test]
    fn only_observed_good_and_bad_count() {
        let sources = StringArray::from(vec![Some("observed"), Some("scorecard"), None]);
        assert_eq!(observed("bad", &sources, 0), Some(true));
        assert_eq!(observed("good", &sources, 0), Some(false));
        assert_eq!(observed("indeterminate", &sources, 0), None);
        assert_eq!(observed("bad", &sources, 1), None);
        assert_eq!(observed("unlabelled", &sources, 2), None);
    }
}
