//! The config of `ingest_synthetic_batch`, as a run carries it.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct IngestConfig {
    /// A document or a folder, as a path or `file://` URI. Default: `<landing>/<batch_id>_profiles.json`, else the
    /// folder `<landing>/<batch_id>`, else the batch's tables in the landing folder itself.
    pub(crate) source_uri: Option<String>,
    /// One file per table instead: table to path. What is not named is empty, and `as_of` must be given.
    pub(crate) source_files: Option<BTreeMap<String, String>>,
    /// RFC 3339. Default: when the document says that it was generated.
    pub(crate) as_of: Option<String>,
    /// A file of outcomes. Default: `<BATCH>_labels.json` beside the source, where there is one.
    pub(crate) labels_uri: Option<String>,
    /// Share of a table's records that may be rejected before the step fails, from 0 to 1.
    pub(crate) max_rejected_share: f64,
    pub(crate) currency_policy: CurrencyPolicy,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            source_uri: None,
            source_files: None,
            as_of: None,
            labels_uri: None,
            max_rejected_share: 0.1,
            currency_policy: CurrencyPolicy::Error,
        }
    }
}

/// What several currencies in one batch are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CurrencyPolicy {
    Error,
    /// Amounts are added up whatever their currency.
    Ignore,
}

/// Blank is not given.
pub(crate) fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_has_its_default() {
        let text = r#"{"batch_id": "B", "source_uri": null, "labels_uri": " ", "currency_policy": "ignore"}"#;
        let config: IngestConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.max_rejected_share, 0.1);
        assert_eq!(config.currency_policy, CurrencyPolicy::Ignore);
        assert_eq!(given(&config.source_uri), None);
        assert_eq!(given(&config.labels_uri), None);
        assert!(serde_json::from_str::<IngestConfig>(r#"{"currency_policy": "maybe"}"#).is_err());
    }
}
