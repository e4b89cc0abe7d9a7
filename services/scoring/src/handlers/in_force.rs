//! The decision rules in force, for calls that score by themselves.

use kycc_domain::rules::{Action, Rule, RuleSet};
use kycc_proto::scorecards::v1::decision_rule::Action as WireAction;
use kycc_proto::scorecards::v1::rule_service_client::RuleServiceClient;
use kycc_proto::scorecards::v1::{DecisionRule, GetRuleSetRequest};
use kycc_rpc::ApiError;
use tonic::Status;
use tonic::transport::Channel;

/// The active set, as the scorecards service has it now.
pub(super) async fn rules(channel: &Channel) -> Result<RuleSet, Status> {
    let answer = RuleServiceClient::new(channel.clone())
        .get_rule_set(GetRuleSetRequest { version: 0 })
        .await?
        .into_inner();
    let set = answer.rule_set.unwrap_or_default();
    let rules = set.rules.into_iter().map(rule);
    let rules: Vec<Rule> = rules.collect::<Result<_, _>>()?;
    Ok(RuleSet::compile(&rules).map_err(|error| ApiError::internal(&error))?)
}

/// Scoring without a rule that this program does not know would be scoring by other rules.
fn rule(of: DecisionRule) -> Result<Rule, ApiError> {
    let action = match of.action {
        Some(WireAction::AdjustScore(value)) => Action::AdjustScore { value },
        Some(WireAction::MultiplyScore(value)) => Action::MultiplyScore { value },
        Some(WireAction::SetMinScore(value)) => Action::SetMinScore { value },
        Some(WireAction::SetMaxScore(value)) => Action::SetMaxScore { value },
        Some(WireAction::FlagForReview(flag)) => Action::FlagForReview { flag },
        None => {
            let message = format!(
                "the active rule {:?} does what this process does not know; start a newer kycc here",
                of.name
            );
            return Err(ApiError::precondition("RULE_UNKNOWN", message));
        }
    };
    Ok(Rule {
        name: of.name,
        priority: of.priority,
        condition: of.condition,
        action,
    })
}
