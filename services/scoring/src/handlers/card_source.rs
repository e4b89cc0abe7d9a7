//! The card and rules that a task or a call scores with, and the card in its shadow.

use kycc_domain::card::Scorecard;
use kycc_domain::rules::{Rule, RuleError, RuleSet, default_rules};
use serde::Deserialize;

/// Document of the source `active_scorecard`, as the scorecards service observed it.
#[derive(Debug, Deserialize)]
pub(crate) struct ActiveScorecard {
    pub(crate) card: Scorecard,
    /// Absent: the default rules.
    pub(crate) rules: Option<Vec<Rule>>,
}

impl ActiveScorecard {
    pub(crate) fn parse(document_json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(document_json)
    }

    /// The rules in force: those of the run's config, else those with the card, else the default ones.
    pub(crate) fn rules(&self, of_config: Option<&[Rule]>) -> Result<RuleSet, RuleError> {
        match of_config.or(self.rules.as_deref()) {
            Some(rules) => RuleSet::compile(rules),
            None => RuleSet::compile(&default_rules()),
        }
    }
}

/// Document of the source `shadow_scorecard`; `null` where no card is in the shadow.
#[derive(Debug, Deserialize)]
pub(crate) struct ShadowScorecard {
    pub(crate) version: String,
    pub(crate) card: Scorecard,
}

impl ShadowScorecard {
    pub(crate) fn parse(document_json: &str) -> Result<Option<Self>, serde_json::Error> {
        serde_json::from_str(document_json)
    }
}
