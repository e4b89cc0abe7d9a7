//! Suggestions: worked examples, and that each does what it says and no smaller change does.

use proptest::prelude::*;

use super::*;
use crate::card::{Factor, Provenance, ScoringContent, round_half_up};
use crate::catalogue::{FEATURE_COUNT, FEATURES, FeatureSpec, feature_index};
use crate::expert::expert_card;
use crate::rules::{Action, Rule, default_rules};
use crate::scaling::Method;

fn defaults() -> RuleSet {
    RuleSet::compile(&default_rules()).unwrap()
}

/// 673 points under the expert card: fair.
fn reference_party() -> FeatureVector {
    let mut features = FeatureVector::zero();
    for (name, value) in [
        ("kyc_verified", 1.0),
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
    features
}

fn with(changes: &[(&str, f64)]) -> FeatureVector {
    let mut features = reference_party();
    for (name, value) in changes {
        assert!(features.set(name, *value));
    }
    features
}

fn of<'a>(answer: &'a Improvements, feature: &str) -> &'a Improvement {
    let found = answer.factors.iter().find(|f| f.feature == feature);
    found.unwrap()
}

#[test]
fn reference_party_learns_what_makes_it_good() {
    let answer = improvements(&expert_card(), &defaults(), &reference_party(), None).unwrap();
    assert_eq!((answer.final_score, answer.band.as_str()), (673, "fair"));
    let target = Target {
        band: "good".into(),
        min: 700,
    };
    assert_eq!(answer.target, Some(target));
    assert_eq!(answer.factors.len(), 13);

    // 26.34 points to 699.5, at 600/165 · 20/50 points a transaction: 18.1 more of them.
    let count = of(&answer, "transaction_count_6m");
    assert_eq!(
        (count.reachable, count.needed, count.final_score),
        (true, 31.0, 701)
    );
    assert!((count.points_gained - 19.0 * 600.0 / 165.0 * 20.0 / 50.0).abs() < 1e-9);
    assert!((count.change - 0.38).abs() < 1e-12);
    let tax = of(&answer, "has_tax_id");
    assert_eq!(
        (tax.reachable, tax.needed, tax.final_score),
        (true, 1.0, 710)
    );

    // 1.5 of five years are worth 10.9 points.
    let age = of(&answer, "company_age_years");
    assert_eq!(
        (age.reachable, age.actionable, age.final_score),
        (false, false, 684)
    );
    assert!(age.needed > 4.9 && age.needed <= 5.0);
    let verified = of(&answer, "kyc_verified");
    assert_eq!(
        (verified.needed, verified.points_gained, verified.change),
        (1.0, 0.0, 0.0)
    );
    assert!(!verified.reachable);

    let reaching: Vec<_> = answer.factors.iter().take_while(|f| f.reachable).collect();
    assert!(
        reaching
            .windows(2)
            .all(|pair| pair[0].change <= pair[1].change)
    );
    assert_eq!(
        reaching.len(),
        answer.factors.iter().filter(|f| f.reachable).count()
    );
}

#[test]
fn a_change_that_ends_a_penalty_counts_for_both() {
    let party = with(&[("recent_activity_flag", 0.0)]);
    let answer = improvements(&expert_card(), &defaults(), &party, Some("fair")).unwrap();
    assert_eq!(answer.final_score, 552);
    let flag = of(&answer, "recent_activity_flag");
    assert_eq!((flag.reachable, flag.final_score), (true, 673));
    assert!((flag.points_gained - 25.0 * 600.0 / 165.0).abs() < 1e-9);
}

#[test]
fn only_what_lifts_the_cap_helps_where_a_rule_caps() {
    let party = with(&[
        ("kyc_verified", 0.0),
        ("company_age_years", 0.5),
        ("has_tax_id", 1.0),
        ("transaction_count_6m", 50.0),
    ]);
    let answer = improvements(&expert_card(), &defaults(), &party, None).unwrap();
    assert_eq!((answer.final_score, answer.band.as_str()), (500, "poor"));
    let reaching: Vec<_> = answer.factors.iter().filter(|f| f.reachable).collect();
    let names: Vec<_> = reaching.iter().map(|f| (f.feature, f.needed)).collect();
    // A verified identity first: time in business is nothing that a party can do.
    assert_eq!(
        names,
        [("kyc_verified", 1.0), ("company_age_years", 366.0 / 365.25)]
    );
    let stuck = of(&answer, "network_size");
    assert_eq!(
        (stuck.needed, stuck.final_score, stuck.change),
        (9.0, 500, 0.0)
    );
}

#[test]
fn bands_to_reach_must_exist_and_be_better() {
    let reason = |band| {
        let error = improvements(&expert_card(), &defaults(), &reference_party(), Some(band));
        error.unwrap_err().reason()
    };
    assert_eq!(reason("superb"), "UNKNOWN_BAND");
    assert_eq!(reason("fair"), "BAND_NOT_BETTER");
    assert_eq!(reason("poor"), "BAND_NOT_BETTER");
    let broken = with(&[("network_size", f64::NAN)]);
    let error = improvements(&expert_card(), &defaults(), &broken, None).unwrap_err();
    assert_eq!(error.reason(), "FEATURE_NOT_FINITE");
}

#[test]
fn the_best_party_has_nothing_to_improve() {
    let best = FeatureVector::new(std::array::from_fn(|j| FEATURES[j].max.unwrap_or(1e7)));
    let answer = improvements(&expert_card(), &defaults(), &best, None).unwrap();
    assert_eq!(
        (answer.final_score, answer.target, answer.factors.len()),
        (900, None, 0)
    );
}

#[test]
fn a_flag_scaled_amount_is_unset_from_either_side() {
    let content = ScoringContent::of(vec![Factor {
        feature: "avg_transaction_amount".into(),
        weight: -1.0,
        method: Method::Flag,
    }]);
    let card = Scorecard::new("t", content, Provenance::default()).unwrap();
    let none = RuleSet::compile(&[]).unwrap();
    for amount in [-7.0, 7.0, 0.005, -123_456_789.12] {
        let mut features = FeatureVector::zero();
        assert!(features.set("avg_transaction_amount", amount));
        let answer = improvements(&card, &none, &features, None).unwrap();
        assert_eq!(
            (answer.factors[0].needed, answer.factors[0].final_score),
            (0.0, 900)
        );
    }
}

#[test]
fn amounts_are_named_to_the_hundredth_that_does() {
    let party = with(&[("has_tax_id", 1.0), ("avg_transaction_amount", 1234.5678)]);
    let answer = improvements(&expert_card(), &defaults(), &party, None).unwrap();
    let amount = of(&answer, "avg_transaction_amount");
    assert!(!amount.reachable || (amount.needed * 100.0).round() / 100.0 == amount.needed);
    check_against_all_changes(&expert_card(), &defaults(), &party, None);
}

/// Decides the party with one feature changed, without any of the search's code.
fn decided(
    card: &Scorecard,
    rules: &RuleSet,
    features: &FeatureVector,
    name: &str,
    value: f64,
) -> (i32, usize) {
    let mut changed = *features;
    assert!(changed.set(name, value));
    let raw = card.score(&changed).raw;
    let decision = rules
        .apply(&card.compile(), changed.as_slice(), raw)
        .unwrap();
    (decision.final_score, decision.band)
}

/// Every value of a feature from `current` on, nearest first, as far as 400 steps.
fn path(spec: &FeatureSpec, current: f64, up: bool) -> Vec<f64> {
    let nearest = if up {
        spec.values.at_or_below(current) + 1
    } else {
        spec.values.at_or_above(current) - 1
    };
    let inside = |value: &f64| {
        let beyond = if up {
            *value > current
        } else {
            *value < current
        };
        beyond
            && spec.min.is_none_or(|min| *value >= min)
            && spec.max.is_none_or(|max| *value <= max)
    };
    let steps = (0..400).map(|step| {
        spec.values
            .at(if up { nearest + step } else { nearest - step })
    });
    let mut values: Vec<f64> = steps.filter(inside).collect();
    values.dedup();
    values
}

/// Each answer does what it says; one step less does not; where all values can be tried, nothing smaller does.
fn check_against_all_changes(
    card: &Scorecard,
    rules: &RuleSet,
    features: &FeatureVector,
    target: Option<&str>,
) {
    let answer = improvements(card, rules, features, target).unwrap();
    let Some(wanted) = &answer.target else { return };
    let wanted = card.bands().index_of(wanted.min);
    for factor in card.factors() {
        let found = of(&answer, &factor.feature);
        let spec = &FEATURES[feature_index(&factor.feature).unwrap()];
        let (score, band) = decided(card, rules, features, spec.name, found.needed);
        assert_eq!(
            (score, card.bands().band_of(score).name.as_str()),
            (found.final_score, found.band.as_str())
        );
        assert_eq!(found.reachable, band <= wanted, "{}", spec.name);
        let up = factor.weight >= 0.0;
        let moved = found.needed != found.current;
        assert!(
            !moved || (found.needed > found.current) == up,
            "{}",
            spec.name
        );
        if moved {
            let position = spec.values.at_or_below(found.needed);
            let before = spec.values.at(if up { position - 1 } else { position + 1 });
            let between = if up {
                before > found.current
            } else {
                before < found.current
            };
            if between && before != found.needed {
                let (less, band) = decided(card, rules, features, spec.name, before);
                let does = if found.reachable {
                    band <= wanted
                } else {
                    less >= found.final_score
                };
                assert!(
                    !does,
                    "{}: {before} does what {} does",
                    spec.name, found.needed
                );
            }
        }
        let tried: Vec<(f64, i32, usize)> = path(spec, found.current, up)
            .into_iter()
            .map(|value| {
                let (score, band) = decided(card, rules, features, spec.name, value);
                (value, score, band)
            })
            .collect();
        if let Some((value, ..)) = tried.iter().find(|(.., band)| *band <= wanted) {
            assert_eq!(
                (found.reachable, found.needed),
                (true, *value),
                "{}",
                spec.name
            );
        } else if !found.reachable {
            let best = tried.iter().map(|(_, score, _)| *score).max();
            let best = best.unwrap_or(answer.final_score).max(answer.final_score);
            assert!(found.final_score >= best, "{}", spec.name);
        }
    }
}

/// Rules that switch on counts, on the score and on each other's features, up and down.
fn contrary_rules() -> RuleSet {
    let rule = |name: &str, condition: &str, action| Rule {
        name: name.into(),
        priority: 9,
        condition: condition.into(),
        action,
    };
    let adjust = |value| Action::AdjustScore { value };
    let mut rules = default_rules();
    rules.extend([
        rule(
            "crowd",
            "transaction_count_6m > 20.0 && transaction_count_6m <= 23.0",
            adjust(-60.0),
        ),
        rule("even", "network_size == 11.0", adjust(80.0)),
        rule("low", "score < 520.0", adjust(35.0)),
        rule(
            "middle",
            "score >= 560.0 && score < 640.0",
            Action::MultiplyScore { value: 0.9 },
        ),
        rule(
            "suppliers",
            "supplier_count > customer_count",
            Action::SetMaxScore { value: 650.0 },
        ),
        rule(
            "helped",
            "direct_counterparty_count >= 70.0",
            Action::SetMinScore { value: 700.0 },
        ),
    ]);
    RuleSet::compile(&rules).unwrap()
}

fn any_party() -> impl Strategy<Value = FeatureVector> {
    prop::array::uniform17(0.0f64..1.0).prop_map(|shares| {
        FeatureVector::new(std::array::from_fn(|j| {
            let spec = &FEATURES[j];
            let (low, high) = (spec.min.unwrap_or(0.0), spec.max.unwrap_or(40.0));
            let value = low + shares[j] * shares[j] * (high - low + 1.0);
            // Some values as the catalogue steps, some between two steps, as means and ratios are.
            let position = spec.values.at_or_below(value.min(high));
            let stepped = spec.values.at(position);
            if spec.unit == "currency" {
                value * 321.0 - 40.0
            } else {
                stepped
            }
        }))
    })
}

fn any_card() -> impl Strategy<Value = Scorecard> {
    prop::collection::vec(-10.0f64..30.0, FEATURE_COUNT).prop_map(|weights| {
        let factors = FEATURES.iter().zip(weights).map(|(spec, weight)| Factor {
            feature: spec.name.into(),
            weight,
            method: spec.scaling,
        });
        let content = ScoringContent::of(factors.collect());
        Scorecard::new("t", content, Provenance::default()).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_smaller_change_reaches_the_band(card in any_card(), party in any_party(), contrary in any::<bool>()) {
        let rules = if contrary { contrary_rules() } else { defaults() };
        check_against_all_changes(&card, &rules, &party, None);
    }

    #[test]
    fn the_expert_card_and_the_best_band_hold_the_same(party in any_party()) {
        let card = expert_card();
        let raw = card.score(&party).raw;
        prop_assume!(round_half_up(raw) < 770);
        check_against_all_changes(&card, &contrary_rules(), &party, Some("excellent"));
    }
}
