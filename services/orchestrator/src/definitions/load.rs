//! Reads definitions, from YAML that people wrote or from the document that the store keeps.

use std::path::{Path, PathBuf};

use kycc_runtime::ModuleTable;
use serde_json::Value;

use super::check::{Known, check};
use super::types::Definitions;
use crate::core::canonical_json;

/// The complete default.
pub(crate) const DEFAULT: &str = include_str!("../../pipeline.yaml");

/// How the default is called where a file would be named.
const BUILT_IN: &str = "built into the program";

#[derive(Debug, thiserror::Error)]
pub(crate) enum DefinitionsError {
    #[error("cannot read the definitions {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the definitions {origin} are not YAML: {problem}")]
    Syntax { origin: String, problem: String },
    #[error("the definitions {origin} are wrong at {path}: {problem}")]
    Shape {
        origin: String,
        path: String,
        problem: String,
    },
    #[error("the definitions {origin} do not fit together: {}", problems.join("; "))]
    Inconsistent {
        origin: String,
        problems: Vec<String>,
    },
}

impl Definitions {
    /// The file's, or the default, checked against what the modules of this program observe.
    pub(crate) fn read(path: Option<&Path>, table: &ModuleTable) -> Result<Self, DefinitionsError> {
        let sources = Some(&table.sources);
        let Some(path) = path else {
            return Self::from_text(DEFAULT, BUILT_IN, sources);
        };
        let text = std::fs::read_to_string(path).map_err(|source| DefinitionsError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_text(&text, &path.display().to_string(), sources)
    }

    #[cfg(test)]
    pub(crate) fn from_yaml(text: &str) -> Result<Self, DefinitionsError> {
        Self::from_text(text, BUILT_IN, None)
    }

    fn from_text(text: &str, origin: &str, sources: Known<'_>) -> Result<Self, DefinitionsError> {
        let value: Value =
            serde_saphyr::from_str(text).map_err(|error| DefinitionsError::Syntax {
                origin: origin.to_owned(),
                // The parser does not know where its text comes from.
                problem: error.to_string().replace("<input>", origin),
            })?;
        Self::from_value(value, origin, sources)
    }

    /// What [`Self::document`] gave. Sources are not looked at: a run goes on with what it was started with, also where a
    /// newer program does not observe it any more.
    pub(crate) fn from_document(text: &str) -> Result<Self, DefinitionsError> {
        let origin = "in the state store";
        let value = serde_json::from_str(text).map_err(|error| DefinitionsError::Syntax {
            origin: origin.to_owned(),
            problem: error.to_string(),
        })?;
        Self::from_value(value, origin, None)
    }

    fn from_value(
        value: Value,
        origin: &str,
        sources: Known<'_>,
    ) -> Result<Self, DefinitionsError> {
        let definitions: Self =
            serde_path_to_error::deserialize(value).map_err(|error| DefinitionsError::Shape {
                origin: origin.to_owned(),
                path: error.path().to_string(),
                problem: error.inner().to_string(),
            })?;
        let problems = check(&definitions, sources);
        if problems.is_empty() {
            Ok(definitions)
        } else {
            Err(DefinitionsError::Inconsistent {
                origin: origin.to_owned(),
                problems,
            })
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

    /// The default's sources and lanes.
    fn table() -> ModuleTable {
        ModuleTable {
            lanes: ["ingestion", "scoring"].into(),
            sources: [
                "batch_source",
                "active_rules",
                "active_scorecard",
                "shadow_scorecard",
                "recorded_outcomes",
            ]
            .into(),
            ..ModuleTable::default()
        }
    }

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipeline.yaml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn a_source_that_no_module_observes_is_refused_with_the_near_and_the_known_ones() {
        Definitions::read(None, &table()).unwrap();
        let text = DEFAULT.replace(
            "sources: [active_scorecard, shadow_scorecard, active_rules]",
            "sources: [active_scorcard, moon]",
        );
        let (_folder, path) = file(&text);
        let error = Definitions::read(Some(&path), &table()).unwrap_err();
        let error = error.to_string();
        let known =
            "active_rules, active_scorecard, batch_source, recorded_outcomes, shadow_scorecard";
        for expected in [
            format!(
                "asset score_batch reads the source active_scorcard, which no service observes; did you mean \
                 active_scorecard? (there are {known})"
            ),
            format!(
                "asset score_batch reads the source moon, which no service observes (there are {known})"
            ),
        ] {
            assert!(error.contains(&expected), "{error}");
        }
        // A run that was started with such definitions still finds them.
        let kept = Definitions::from_yaml(&text).unwrap().document();
        Definitions::from_document(&kept).unwrap();
    }

    #[test]
    fn errors_name_the_file() {
        for broken in [
            "assets: [",
            "assets: 7",
            "location_name: x\nassets: []\njobs: [{name: j, assets: [a]}]",
        ] {
            let (_folder, path) = file(broken);
            let error = Definitions::read(Some(&path), &table())
                .unwrap_err()
                .to_string();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
            assert!(!error.contains("<input>"), "{error}");
        }
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
