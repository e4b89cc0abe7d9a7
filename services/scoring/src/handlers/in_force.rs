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
    let rules: Vec<Rule> = set.rules.into_iter().filter_map(rule).collect();
    Ok(RuleSet::compile(&rules).map_err(|error| ApiError::internal(&error))?)
}

/// `None` for an action that this program does not know.
fn rule(of: DecisionRule) -> Option<Rule> {
    let action = match of.action? {
        WireAction::AdjustScore(value) => Action::AdjustScore { value },
        WireAction::MultiplyScore(value) => Action::MultiplyScore { value },
        WireAction::SetMinScore(value) => Action::SetMinScore { value },
        WireAction::SetMaxScore(value) => Action::SetMaxScore { value },
        WireAction::FlagForReview(flag) => Action::FlagForReview { flag },
    };
    Some(Rule {
        name: of.name,
        priority: of.priority,
        condition: of.condition,
        action,
    })
}
