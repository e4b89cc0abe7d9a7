//! Reason codes: where a party lost the most points against others, as Regulation B, comment 9(b)(2) describes.
//!
//! Two comparisons, both allowed there: (a) with the mean of the reference population, (b) with the mean of those who
//! scored just at or above the cutoff. Only factors in which the party fell short are given, up to four.

mod reference;

pub use reference::{NEAR_CUTOFF_MIN_PARTIES, NEAR_CUTOFF_SPAN, ReferenceMeans, mean_points};

use crate::card::CompiledCard;
use serde::Serialize;

/// More than four reasons help nobody (comment 9(b)(2)-1).
pub const MAX_REASONS: usize = 4;

/// A mean over equal values differs from them in its last bits; what is below this is no loss.
const LEAST_LOSS: f64 = 1e-9;

/// One factor's shortfall against a mean.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shortfall {
    /// Position in the card's factors.
    pub factor: usize,
    pub points_lost: f64,
}

/// A shortfall with its stable code and its words.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reason {
    pub code: &'static str,
    pub text: &'static str,
    pub feature: &'static str,
    /// Mean points less own points; always above 0.
    pub points_lost: f64,
}

/// The greatest shortfalls first, equal ones in catalogue order; returns how many of `out` are filled.
///
/// Allocates nothing: this runs twice for every party of a batch.
///
/// # Panics
/// If `means` is shorter than `points`.
pub fn greatest_shortfalls(
    points: &[f64],
    means: &[f64],
    out: &mut [Shortfall; MAX_REASONS],
) -> usize {
    let mut filled = 0;
    for (factor, own) in points.iter().enumerate() {
        let points_lost = means[factor] - own;
        if points_lost <= LEAST_LOSS || points_lost.is_nan() {
            continue;
        }
        // Strictly greater: an equal shortfall stays behind the earlier factor.
        let position = out[..filled]
            .iter()
            .position(|held| points_lost > held.points_lost)
            .unwrap_or(filled);
        if position == MAX_REASONS {
            continue;
        }
        filled = (filled + 1).min(MAX_REASONS);
        out[position..filled].rotate_right(1);
        out[position] = Shortfall {
            factor,
            points_lost,
        };
    }
    filled
}

/// Puts code and words to a shortfall.
pub fn reason(card: &CompiledCard, shortfall: Shortfall) -> Reason {
    let spec = card.spec(shortfall.factor);
    Reason {
        code: spec.reason_code,
        text: if card.is_inverted(shortfall.factor) {
            spec.reason_when_high
        } else {
            spec.reason_when_low
        },
        feature: spec.name,
        points_lost: shortfall.points_lost,
    }
}

/// Up to four reasons of one party; `points` and `means` in card order.
pub fn reasons(card: &CompiledCard, points: &[f64], means: &[f64]) -> Vec<Reason> {
    let mut shortfalls = [Shortfall::default(); MAX_REASONS];
    let filled = greatest_shortfalls(points, means, &mut shortfalls);
    shortfalls[..filled]
        .iter()
        .map(|shortfall| reason(card, *shortfall))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{Factor, Provenance, Scorecard, ScoringContent};
    use crate::expert::expert_card;
    use crate::scaling::Method;
    use proptest::prelude::*;

    #[test]
    fn greatest_losses_come_first_and_ties_in_catalogue_order() {
        let card = expert_card().compile();
        let mut means = [10.0; 13];
        means[7] = 30.0;
        means[12] = 20.0;
        let found = reasons(&card, &[5.0; 13], &means);
        let codes: Vec<_> = found.iter().map(|reason| reason.code).collect();
        assert_eq!(
            codes,
            [
                "TRANSACTION_REGULARITY",
                "NETWORK_BALANCE",
                "KYC_VERIFICATION",
                "COMPANY_AGE"
            ]
        );
        assert_eq!(found[0].points_lost, 25.0);
        assert_eq!(
            found[0].text,
            "irregular transaction activity from month to month"
        );
    }

    #[test]
    fn only_shortfalls_are_reasons() {
        let card = expert_card().compile();
        let mut means = [4.0; 13];
        means[0] = 4.0 + 1e-12;
        means[1] = 4.5;
        let found = reasons(&card, &[4.0; 13], &means);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].feature, "company_age_years");
        assert!(reasons(&card, &[9.0; 13], &means).is_empty());
    }

    #[test]
    fn negative_weight_is_worded_the_other_way_round_under_the_same_code() {
        let factor = |weight| {
            let factors = vec![Factor {
                feature: "network_size".into(),
                weight,
                method: Method::Cap(20.0),
            }];
            let content = ScoringContent::of(factors);
            let card = Scorecard::new("t", content, Provenance::default()).unwrap();
            reasons(&card.compile(), &[0.0], &[10.0])[0]
        };
        assert_eq!(factor(1.0).code, factor(-1.0).code);
        assert_eq!(factor(1.0).text, "small business network");
        assert_eq!(factor(-1.0).text, "large business network");
    }

    proptest! {
        #[test]
        fn shortfalls_equal_those_of_a_full_stable_sort(
            points in prop::collection::vec(0i32..6, 13), means in prop::collection::vec(0i32..6, 13),
        ) {
            let as_points = |list: &[i32]| list.iter().copied().map(f64::from).collect::<Vec<_>>();
            let mut sorted: Vec<_> = (0..13).filter(|i| means[*i] > points[*i]).collect();
            sorted.sort_by_key(|i| points[*i] - means[*i]);
            sorted.truncate(MAX_REASONS);
            let mut out = [Shortfall::default(); MAX_REASONS];
            let filled = greatest_shortfalls(&as_points(&points), &as_points(&means), &mut out);
            let found: Vec<_> = out[..filled].iter().map(|s| s.factor).collect();
            prop_assert_eq!(found, sorted);
        }
    }
}
