//! What a version of `scores` says of itself: enough to explain it for ever, and what was found when it was made.

use kycc_domain::card::Scorecard;
use kycc_domain::reasons::ReferenceMeans;
use kycc_domain::rules::RuleSet;
use kycc_lake::Metadata;
use serde_json::{Value, json};

use crate::core::drift_check::Check;
use crate::core::statistics::Statistics;

/// The same in every shard, as each has seen all parties.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub(super) card: &'a Scorecard,
    pub(super) rules: &'a RuleSet,
    /// Of the rule set in force; `None` where the run's config brought rules of its own.
    pub(super) rules_version: Option<u64>,
    pub(super) statistics: &'a Statistics,
    pub(super) reference: &'a ReferenceMeans,
    pub(super) features_key: &'a str,
    /// Microseconds since 1970.
    pub(super) as_of: i64,
}

/// What one shard counts for all.
pub(super) fn counted(check: &Check) -> Metadata {
    let mut metadata = Metadata::new();
    metadata.insert("checks".into(), json!([check]));
    metadata
}

impl Said<'_> {
    /// With what one shard counted for all.
    pub(super) fn metadata(&self, counted: Metadata) -> Metadata {
        let mut metadata = counted;
        if let Value::Object(numbers) = json!(self.statistics) {
            metadata.extend(numbers);
        }
        let reference = self.reference;
        let more = [
            ("scorecard_version", json!(self.card.version())),
            ("scorecard_hash", json!(self.card.hash())),
            ("rules_digest", json!(self.rules.digest())),
            ("rules_version", json!(self.rules_version)),
            ("as_of", json!(self.as_of)),
            ("reference_parties", json!(reference.parties)),
            ("near_cutoff_parties", json!(reference.near_cutoff_parties)),
            ("features_version", json!(self.features_key)),
            // The whole card and rules, so that what is published explains itself for ever.
            ("card", json!(self.card)),
            ("rules", json!(self.rules.rules())),
        ];
        metadata.extend(more.map(|(label, value)| (label.to_owned(), value)));
        metadata
    }
}
