//! The card and rules that a task or a call scores with, and the card in its shadow.

use kycc_domain::card::Scorecard;
use kycc_domain::rules::{Rule, RuleError, RuleSet};
use serde::Deserialize;

/// Document of the source `active_scorecard`, as the scorecards service observed it.
#[derive(Debug, Deserialize)]
pub(crate) struct ActiveScorecard {
    pub(crate) card: Scorecard,
}

impl ActiveScorecard {
    pub(crate) fn parse(document_json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(document_json)
    }
}

/// Document of the source `active_rules`, as the scorecards service observed it.
#[derive(Debug, Deserialize)]
pub(crate) struct ActiveRules {
    pub(crate) version: u64,
    rules: Vec<Rule>,
}

impl ActiveRules {
    pub(crate) fn parse(document_json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(document_json)
    }

    /// The rules in force: those of the run's config, else the active ones.
    pub(crate) fn rules(&self, of_config: Option<&[Rule]>) -> Result<RuleSet, RuleError> {
        RuleSet::compile(of_config.unwrap_or(&self.rules))
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
