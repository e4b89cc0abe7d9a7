//! Reads definitions, from YAML that people wrote or from the document that the store keeps.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::check::check;
use super::types::Definitions;
use crate::core::canonical_json;

/// The complete default.
pub(crate) const DEFAULT: &str = include_str!("../../pipeline.yaml");

#[derive(Debug, thiserror::Error)]
pub(crate) enum DefinitionsError {
    #[error("cannot read the definitions {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the definitions are not YAML: {problem}")]
    Syntax { problem: String },
    #[error("the definitions are wrong at {path}: {problem}")]
    Shape { path: String, problem: String },
    #[error("the definitions do not fit together: {}", problems.join("; "))]
    Inconsistent { problems: Vec<String> },
}

impl Definitions {
    pub(crate) fn from_yaml(text: &str) -> Result<Self, DefinitionsError> {
        let value: Value =
            serde_saphyr::from_str(text).map_err(|error| DefinitionsError::Syntax {
                problem: error.to_string(),
            })?;
        Self::from_value(value)
    }

    pub(crate) fn from_file(path: &Path) -> Result<Self, DefinitionsError> {
        let text = std::fs::read_to_string(path).map_err(|source| DefinitionsError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_yaml(&text)
    }

    /// What [`Self::document`] gave.
    pub(crate) fn from_document(text: &str) -> Result<Self, DefinitionsError> {
        let value = serde_json::from_str(text).map_err(|error| DefinitionsError::Syntax {
            problem: error.to_string(),
        })?;
        Self::from_value(value)
    }

    fn from_value(value: Value) -> Result<Self, DefinitionsError> {
        let definitions: Self =
            serde_path_to_error::deserialize(value).map_err(|error| DefinitionsError::Shape {
                path: error.path().to_string(),
                problem: error.inner().to_string(),
            })?;
        let problems = check(&definitions);
        if problems.is_empty() {
            Ok(definitions)
        } else {
            Err(DefinitionsError::Inconsistent { problems })
        }
    }

    /// Canonical JSON: comments and layout do not count.
    pub(crate) fn document(&self) -> String {
        let value = serde_json::to_value(self).expect("definitions have string keys only");
        canonical_json(&value)
    }

    pub(crate) fn hash(&self) -> String {
        blake3::hash(self.document().as_bytes()).to_hex()[..16].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl Fn(String) -> String) -> String {
        let changed = change(DEFAULT.to_owned());
        assert_ne!(changed, DEFAULT, "the change must change something");
        Definitions::from_yaml(&changed).unwrap_err().to_string()
    }

    #[test]
    fn the_embedded_default_is_sound_and_keeps_the_replaced_deployments_values() {
        let definitions = Definitions::from_yaml(DEFAULT).unwrap();
        assert_eq!(definitions.location_name, "kycc_scoring");
        assert_eq!(definitions.assets.len(), 9);
        assert_eq!(definitions.run_queue.max_concurrent_runs, 5);
        assert!(definitions.run_monitoring.enabled);
        assert_eq!(definitions.run_monitoring.poll_interval_seconds, 60);
        assert!(!definitions.telemetry.enabled);
    }

    #[test]
    fn what_the_store_keeps_reads_back_equal() {
        let definitions = Definitions::from_yaml(DEFAULT).unwrap();
        let read = Definitions::from_document(&definitions.document()).unwrap();
        assert_eq!(read, definitions);
        assert_eq!(read.hash(), definitions.hash());
    }

    #[test]
    fn comments_do_not_change_the_hash_and_values_do() {
        let base = Definitions::from_yaml(DEFAULT).unwrap().hash();
        let commented = format!("# another comment\n{DEFAULT}");
        assert_eq!(Definitions::from_yaml(&commented).unwrap().hash(), base);
        let changed = DEFAULT.replace("max_concurrent_runs: 5", "max_concurrent_runs: 6");
        assert_ne!(Definitions::from_yaml(&changed).unwrap().hash(), base);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_path() {
        let error = refused(|text| text.replace("lane: features-kyc", "lanes: features-kyc"));
        assert!(error.contains("assets[1]"), "{error}");
        assert!(error.contains("lanes"), "{error}");
        let error = refused(|text| text.replace("enabled: false", "enabled: maybe"));
        assert!(error.contains("telemetry.enabled"), "{error}");
    }

    #[test]
    fn a_cycle_is_refused() {
        let error = refused(|text| {
            text.replace(
                "sources: [batch_source]",
                "sources: [batch_source]\n    deps: [score_batch]",
            )
        });
        assert!(error.contains("cycle"), "{error}");
        assert!(error.contains("score_batch"), "{error}");
    }

    #[test]
    fn unknown_assets_in_deps_and_jobs_are_refused() {
        let error = refused(|text| text.replace("deps: [extract_features]", "deps: [extracts]"));
        assert!(
            error.contains("score_batch") && error.contains("extracts"),
            "{error}"
        );
        let error = refused(|text| text.replace("assets: [score_batch]", "assets: [scores]"));
        assert!(
            error.contains("scoring_job") && error.contains("scores"),
            "{error}"
        );
    }

    #[test]
    fn a_dataset_that_nothing_upstream_makes_is_refused() {
        let error = refused(|text| text.replace("inputs: [batch, parties]", "inputs: [scores]"));
        assert!(
            error.contains("extract_kyc_features") && error.contains("scores"),
            "{error}"
        );
    }

    #[test]
    fn a_schema_that_is_no_schema_is_refused() {
        let error = refused(|text| {
            text.replace(
                "type: integer\n          minimum: 300",
                "type: whole\n          minimum: 300",
            )
        });
        assert!(error.contains("score_batch.config_schema"), "{error}");
    }
}
