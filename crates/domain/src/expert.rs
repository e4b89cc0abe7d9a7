//! The expert card, version 1.0: the weights that people chose before there was any outcome to learn from.

use crate::card::{Factor, Provenance, Scorecard, ScoringContent};
use crate::scaling::Method::{self, Cap, Flag, Log, Percent};

pub const EXPERT_VERSION: &str = "1.0";

const EXPERT_FACTORS: [(&str, f64, Method); 13] = [
    ("kyc_verified", 15.0, Flag),
    ("has_tax_id", 10.0, Flag),
    ("contact_completeness", 5.0, Percent),
    ("company_age_years", 10.0, Cap(5.0)),
    ("party_type_score", 10.0, Cap(10.0)),
    ("transaction_count_6m", 20.0, Cap(50.0)),
    ("avg_transaction_amount", 15.0, Log(100_000.0)),
    ("recent_activity_flag", 25.0, Flag),
    ("transaction_regularity_score", 15.0, Percent),
    ("network_size", 10.0, Cap(20.0)),
    ("direct_counterparty_count", 10.0, Cap(10.0)),
    ("network_balance_ratio", 10.0, Cap(1.0)),
    ("network_depth_downstream", 10.0, Cap(5.0)),
];

/// The card that is active until a refined one is approved.
pub fn expert_card() -> Scorecard {
    let factors = EXPERT_FACTORS.map(|(feature, weight, method)| Factor {
        feature: feature.to_owned(),
        weight,
        method,
    });
    let provenance = Provenance {
        author: Some("expert".to_owned()),
        ..Provenance::default()
    };
    Scorecard::new(
        EXPERT_VERSION,
        ScoringContent::of(factors.to_vec()),
        provenance,
    )
    .expect("the expert card is valid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::FeatureVector;

    #[test]
    fn reference_party_scores_as_specified() {
        let mut features = FeatureVector::zero();
        for (name, value) in [
            ("kyc_verified", 1.0),
            ("has_tax_id", 0.0),
            ("contact_completeness", 75.0),
            ("company_age_years", 3.5),
            ("party_type_score", 7.0),
            ("transaction_count_6m", 12.0),
            ("avg_transaction_amount", 2500.0),
            ("recent_activity_flag", 1.0),
            ("transaction_regularity_score", 62.5),
            ("network_size", 9.0),
            ("direct_counterparty_count", 4.0),
            ("network_balance_ratio", 0.8),
            ("network_depth_downstream", 2.0),
        ] {
            assert!(features.set(name, value));
        }
        let card = expert_card();
        let scored = card.score(&features);
        let weighted: f64 = card
            .factors()
            .iter()
            .zip(&scored.s)
            .map(|(factor, s)| factor.weight * s)
            .sum();
        assert!((weighted - 102.61933222055131).abs() < 1e-9, "{weighted}");
        assert!(
            (scored.raw - 673.161208074732).abs() < 1e-9,
            "{}",
            scored.raw
        );
        assert_eq!(scored.score, 673);
        assert_eq!(card.bands().band_of(scored.score).name, "fair");
    }

    #[test]
    fn hash_of_the_expert_card_never_changes() {
        // Worked out apart, from the canonical JSON of the same content.
        assert_eq!(
            expert_card().hash().as_str(),
            "517002570d6926b54d8493ae35c947383c5df866b253ab00e2c2538a28d30713"
        );
    }
}
