//! Which assets a run consists of, and its steps in order. Pure.

use std::collections::BTreeMap;

use kycc_domain::ids::{AssetKey, DatasetName};
use kycc_rpc::ApiError;

use crate::core::{CarriedStep, PlannedStep};
use crate::definitions::Definitions;

/// The selection with what its input files need: files of datasets that are ingested are read by the asset that ingests.
pub(super) fn with_inputs(
    definitions: &Definitions,
    mut selection: Vec<AssetKey>,
    inputs: &BTreeMap<String, String>,
) -> Result<Vec<AssetKey>, ApiError> {
    for name in inputs.keys() {
        let field = format!("inputs.{name}");
        let maker = DatasetName::new(name.as_str())
            .ok()
            .and_then(|dataset| definitions.maker(&dataset))
            .ok_or_else(|| ApiError::invalid(&field, "is not a dataset of any asset"))?;
        let takes_files = maker
            .files
            .as_ref()
            .is_some_and(|files| files.datasets.iter().any(|d| d.as_str() == name));
        if takes_files {
            if !selection.contains(&maker.key) {
                selection.push(maker.key.clone());
            }
        } else if selection.contains(&maker.key) {
            let problem = format!(
                "is made by {} of this run; leave one of them out",
                maker.key
            );
            return Err(ApiError::invalid(field, problem));
        } else if !is_read(definitions, &selection, name) {
            return Err(ApiError::invalid(field, "is read by no selected asset"));
        }
    }
    Ok(selection)
}

fn is_read(definitions: &Definitions, selection: &[AssetKey], name: &str) -> bool {
    let assets = selection
        .iter()
        .filter_map(|key| definitions.asset(key.as_str()));
    let mut read = assets.flat_map(|asset| asset.inputs.iter().chain(&asset.all_batches));
    read.any(|dataset| dataset.as_str() == name)
}

/// `carried`: results of a run that is retried.
pub(super) fn steps(
    definitions: &Definitions,
    selection: &[AssetKey],
    mut carried: BTreeMap<AssetKey, CarriedStep>,
) -> Vec<PlannedStep> {
    let ordered = definitions.in_order(selection);
    ordered
        .iter()
        .enumerate()
        .map(|(at, asset)| PlannedStep {
            asset: asset.key.clone(),
            upstream: definitions.upstream_positions(&ordered, at),
            datasets: asset.outputs.clone(),
            max_attempts: definitions.retries(asset).max_attempts,
            max_deliveries: definitions.run_monitoring.max_deliveries,
            carried: carried.remove(&asset.key),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::DEFAULT;

    fn select(assets: &[&str], input: &str) -> Result<Vec<String>, String> {
        let definitions = Definitions::from_yaml(DEFAULT).unwrap();
        let selection = assets.iter().map(|key| key.parse().unwrap()).collect();
        let inputs = [(input.to_owned(), "f.csv".to_owned())].into();
        with_inputs(&definitions, selection, &inputs)
            .map(|keys| keys.into_iter().map(AssetKey::into_string).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_of_an_ingested_dataset_brings_ingestion_in() {
        let selected = select(&["extract_kyc_features"], "parties").unwrap();
        assert_eq!(selected, ["extract_kyc_features", "ingest_synthetic_batch"]);
    }

    #[test]
    fn a_file_stands_in_for_a_dataset_that_the_selection_reads_and_does_not_make() {
        assert_eq!(
            select(&["score_batch"], "features").unwrap(),
            ["score_batch"]
        );
        let made = select(&["extract_features", "score_batch"], "features").unwrap_err();
        assert!(made.contains("made by extract_features"), "{made}");
        let unread = select(&["score_batch"], "labels").unwrap_err();
        assert_eq!(unread, "inputs.labels: is read by no selected asset");
        let unknown = select(&["score_batch"], "feature").unwrap_err();
        assert_eq!(unknown, "inputs.feature: is not a dataset of any asset");
    }
}
