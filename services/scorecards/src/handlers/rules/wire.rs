//! Rules between the wire, the core and the store.

use kycc_domain::rules::{Action, Rule, RuleError};
use kycc_proto::scorecards::v1 as api;
use kycc_proto::scorecards::v1::decision_rule::Action as WireAction;
use kycc_rpc::{ApiError, timestamp};

use crate::core::rule_sets::{RuleStatus, StoredRules};

/// `None` where no action is named.
pub(super) fn rule(of: &api::DecisionRule) -> Option<Rule> {
    let action = match of.action.clone()? {
        WireAction::AdjustScore(value) => Action::AdjustScore { value },
        WireAction::MultiplyScore(value) => Action::MultiplyScore { value },
        WireAction::SetMinScore(value) => Action::SetMinScore { value },
        WireAction::SetMaxScore(value) => Action::SetMaxScore { value },
        WireAction::FlagForReview(flag) => Action::FlagForReview { flag },
    };
    Some(Rule {
        name: of.name.clone(),
        priority: of.priority,
        condition: of.condition.clone(),
        action,
    })
}

fn to_wire(of: Rule) -> api::DecisionRule {
    let action = match of.action {
        Action::AdjustScore { value } => WireAction::AdjustScore(value),
        Action::MultiplyScore { value } => WireAction::MultiplyScore(value),
        Action::SetMinScore { value } => WireAction::SetMinScore(value),
        Action::SetMaxScore { value } => WireAction::SetMaxScore(value),
        Action::FlagForReview { flag } => WireAction::FlagForReview(flag),
    };
    api::DecisionRule {
        name: of.name,
        priority: of.priority,
        condition: of.condition,
        action: Some(action),
    }
}

pub(super) fn rule_set(of: &StoredRules) -> Result<api::RuleSet, ApiError> {
    let rules: Vec<Rule> =
        serde_json::from_str(&of.rules).map_err(|error| ApiError::internal(&error))?;
    let standing = &of.standing;
    let status = match standing.status {
        RuleStatus::Draft => api::RuleSetStatus::Draft,
        RuleStatus::Approved => api::RuleSetStatus::Approved,
        RuleStatus::Active => api::RuleSetStatus::Active,
        RuleStatus::Retired => api::RuleSetStatus::Retired,
    };
    Ok(api::RuleSet {
        version: of.version.unsigned_abs(),
        hash: of.hash.clone(),
        status: status.into(),
        rules: rules.into_iter().map(to_wire).collect(),
        author: of.author.clone(),
        reason: of.reason.clone(),
        approver: standing.approver.clone().unwrap_or_default(),
        self_approved: standing.self_approved,
        create_time: Some(timestamp(of.created_at_micros)),
        activate_time: standing.activated_at_micros.map(timestamp),
    })
}

pub(super) fn no_action(index: usize) -> api::RuleViolation {
    api::RuleViolation {
        field: format!("rules[{index}].action"),
        reason: "RULE_ACTION".into(),
        description: "says what the rule does: adjust_score, multiply_score, set_min_score, set_max_score or \
                      flag_for_review"
            .into(),
    }
}

/// `index`: of the rule; none where the whole set is at fault.
pub(super) fn violation(error: &RuleError, index: Option<usize>) -> api::RuleViolation {
    let field = match index {
        None => "rules".to_owned(),
        Some(index) => format!("rules[{index}].{}", field(error)),
    };
    api::RuleViolation {
        field,
        reason: error.reason().to_owned(),
        description: error.to_string(),
    }
}

fn field(error: &RuleError) -> &'static str {
    match error {
        RuleError::Name { .. } | RuleError::DuplicateName { .. } | RuleError::TooMany { .. } => {
            "name"
        }
        RuleError::Flag { .. } => "flag_for_review",
        RuleError::Value { .. } => "value",
        _ => "condition",
    }
}
