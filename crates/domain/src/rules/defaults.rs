//! The five rules that apply until somebody changes them.

use super::{Action, Rule};

pub fn default_rules() -> Vec<Rule> {
    let rule = |name: &str, priority, condition: &str, action| Rule {
        name: name.to_owned(),
        priority,
        condition: condition.to_owned(),
        action,
    };
    let flag = |flag: &str| Action::FlagForReview {
        flag: flag.to_owned(),
    };
    vec![
        rule(
            "kyc_override",
            1,
            "kyc_verified == 0.0 && company_age_years < 1.0",
            Action::SetMaxScore { value: 500.0 },
        ),
        rule(
            "no_activity_penalty",
            2,
            "recent_activity_flag == 0.0",
            Action::AdjustScore { value: -30.0 },
        ),
        rule(
            "high_volume_bonus",
            3,
            "total_transaction_volume_6m > 500000.0",
            Action::AdjustScore { value: 25.0 },
        ),
        rule(
            "network_isolation_flag",
            4,
            "network_size <= 1.0 || direct_counterparty_count == 0.0",
            flag("isolated_network"),
        ),
        rule(
            "missing_contact_flag",
            5,
            "contact_completeness < 50.0",
            flag("incomplete_profile"),
        ),
    ]
}
