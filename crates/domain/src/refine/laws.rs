//! The laws of a draft under both scalings: whatever the weights, points stand for the same odds and the same order.

use proptest::prelude::*;

use super::tests::{FACTORS, drawn, mixed, uniform};
use super::*;
use crate::catalogue::{FEATURE_COUNT, FeatureVector, feature_index};
use crate::expert::expert_card;
use crate::metrics::Ranking;
use crate::rules::{RuleSet, default_rules};

/// A draft of the expert card from rows of scaled factors and their outcomes.
fn draft(
    model: &RawModel,
    lambda: f64,
    scaling: WantedScaling,
    (values, bad): &(Vec<f64>, Vec<bool>),
) -> Result<Refined, RefineError> {
    let input = RefineInput {
        expert: &expert_card(),
        model,
        lambda,
        scaling,
        rows: Matrix::new(values, FACTORS).unwrap(),
        bad,
        weights: None,
    };
    refine(&input, "draft-1", Provenance::default())
}

fn any_model() -> impl Strategy<Value = RawModel> {
    (-4.0f64..4.0, prop::array::uniform13(-3.0f64..3.0)).prop_map(|(intercept, slopes)| RawModel {
        intercept,
        slopes: slopes.to_vec(),
    })
}

fn any_anchor() -> impl Strategy<Value = PdoAnchor> {
    (5.0f64..100.0, 0.5f64..200.0, 0i32..1500).prop_map(|(pdo, odds, base)| PdoAnchor {
        pdo,
        odds,
        base,
    })
}

fn any_scaling() -> impl Strategy<Value = WantedScaling> {
    prop_oneof![
        Just(WantedScaling::MinMax),
        any_anchor().prop_map(WantedScaling::Pdo)
    ]
}

fn pd(card: &Scorecard, raw: f64) -> f64 {
    let link = card.content().link.unwrap();
    link.probability(raw, card.scaling().base())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn model_alone_keeps_its_pd_and_its_ranking(
        model in any_model(), scaling in any_scaling(), seed in any::<u64>(),
    ) {
        let rows = drawn(&model, 60, seed);
        let made = draft(&model, 1.0, scaling, &rows).unwrap();
        let logits: Vec<f64> = rows.0.chunks_exact(FACTORS).map(|row| model.logit(row)).collect();
        for (row, raw) in rows.0.chunks_exact(FACTORS).zip(&made.train_raw) {
            prop_assert!((pd(&made.card, *raw) - model.pd(row)).abs() < 1e-12);
        }
        for (a, b) in (0..60).flat_map(|a| (0..a).map(move |b| (a, b))) {
            if logits[a] - logits[b] > 1e-9 {
                prop_assert!(made.train_raw[a] < made.train_raw[b]);
            }
        }
        if rows.1.contains(&true) && rows.1.contains(&false) {
            let risk: Vec<f64> = made.train_raw.iter().map(|raw| -raw).collect();
            let auc = |score: &[f64]| Ranking::new(score, &rows.1).unwrap().auc();
            prop_assert!((auc(&risk) - auc(&logits)).abs() < 1e-12);
        }
    }

    #[test]
    fn pdo_points_are_offset_and_factor_times_log_odds(
        model in any_model(), anchor in any_anchor(), seed in any::<u64>(),
    ) {
        let rows = drawn(&model, 40, seed);
        let made = draft(&model, 1.0, WantedScaling::Pdo(anchor), &rows).unwrap();
        for (row, raw) in rows.0.chunks_exact(FACTORS).zip(&made.train_raw) {
            let expected = anchor.offset() - anchor.factor() * model.logit(row);
            prop_assert!((raw - expected).abs() < 1e-9, "{raw} {expected}");
        }
    }

    #[test]
    fn a_blend_says_the_same_pd_under_both_scalings(
        lambda in 0.0f64..1.0, anchor in any_anchor(), seed in any::<u64>(),
    ) {
        let rows = drawn(&mixed(), 300, seed);
        let plain = draft(&mixed(), lambda, WantedScaling::MinMax, &rows).unwrap();
        prop_assume!(plain.card.content().link.is_some_and(|link| link.slope < 0.0));
        let scaled = draft(&mixed(), lambda, WantedScaling::Pdo(anchor), &rows).unwrap();
        prop_assert_eq!(plain.card.factors(), scaled.card.factors());
        for (a, b) in plain.train_raw.iter().zip(&scaled.train_raw) {
            prop_assert!((pd(&plain.card, *a) - pd(&scaled.card, *b)).abs() < 1e-12);
        }
    }

    #[test]
    fn least_and_points_make_the_raw_score_and_bands_take_every_score(
        lambda in prop_oneof![Just(1.0), 0.0f64..1.0], scaling in any_scaling(), seed in any::<u64>(),
        values in prop::array::uniform17(0.0f64..1e6),
    ) {
        let rows = drawn(&mixed(), 200, seed);
        let Ok(made) = draft(&mixed(), lambda, scaling, &rows) else {
            return Err(TestCaseError::reject("no odds to scale by"));
        };
        let compiled = made.card.compile();
        let scored = compiled.score(&FeatureVector::new(values));
        let sum: f64 = scored.points.iter().sum();
        prop_assert!((compiled.least() + sum - scored.raw).abs() < 1e-9);
        for (j, (points, lost)) in scored.points.iter().zip(&scored.lost).enumerate() {
            prop_assert!(*points >= 0.0 && *lost >= 0.0);
            prop_assert!((points + lost - compiled.max_points(j)).abs() < 1e-9);
        }
        prop_assert!(scored.raw >= compiled.least() && scored.raw <= compiled.greatest());
        let (low, high) = compiled.final_range();
        let rules = RuleSet::compile(&default_rules()).unwrap();
        let decision = rules.apply(&compiled, &values, scored.raw).unwrap();
        prop_assert!((low..=high).contains(&decision.final_score));
        let band = &compiled.bands().as_slice()[decision.band];
        prop_assert!((band.min..=band.max).contains(&decision.final_score));
    }

    #[test]
    fn score_moves_with_a_factor_as_its_weights_sign_says(
        model in any_model(), scaling in any_scaling(), values in prop::array::uniform17(0.0f64..200.0),
        which in 0..FACTORS, more in 0.0f64..200.0,
    ) {
        let made = draft(&model, 1.0, scaling, &drawn(&model, 20, 1)).unwrap();
        let compiled = made.card.compile();
        let factor = &made.card.factors()[which];
        let mut raised = values;
        raised[feature_index(&factor.feature).unwrap()] += more;
        let before = compiled.score(&FeatureVector::new(values));
        let after = compiled.score(&FeatureVector::new(raised));
        // Equal but for the last bits of a sum whose one term has moved the right way.
        let moved = (after.raw - before.raw) * factor.weight.signum();
        prop_assert!(moved >= -1e-9, "{moved}");
        prop_assert!((after.points[which] - before.points[which]) * factor.weight.signum() >= 0.0);
    }

    #[test]
    fn permuting_parties_permutes_scores(
        model in any_model(), scaling in any_scaling(), order in Just((0..30).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let (values, bad) = drawn(&model, 30, 4);
        let made = draft(&model, 1.0, scaling, &(values.clone(), bad.clone())).unwrap();
        let row = |i: &usize| values[i * FACTORS..(i + 1) * FACTORS].to_vec();
        let shuffled: Vec<f64> = order.iter().flat_map(row).collect();
        let labels: Vec<bool> = order.iter().map(|i| bad[*i]).collect();
        let other = draft(&model, 1.0, scaling, &(shuffled, labels)).unwrap();
        prop_assert_eq!(other.card.hash(), made.card.hash());
        for (place, party) in order.iter().enumerate() {
            prop_assert_eq!(other.train_raw[place].to_bits(), made.train_raw[*party].to_bits());
        }
    }
}

#[test]
fn odds_double_with_every_pdo_points() {
    let rows = drawn(&mixed(), 500, 3);
    let made = draft(
        &mixed(),
        0.5,
        WantedScaling::Pdo(PdoAnchor::default()),
        &rows,
    )
    .unwrap();
    let odds = |raw: f64| {
        let pd = pd(&made.card, raw);
        (1.0 - pd) / pd
    };
    assert!((odds(600.0) - 50.0).abs() < 1e-9);
    assert!((odds(620.0) - 100.0).abs() < 1e-9);
    assert!((odds(580.0) - 25.0).abs() < 1e-9);
    assert_eq!(made.card.content().cutoff, 600);
    assert_eq!(made.card.bands(), expert_card().bands());
}

#[test]
fn a_card_refined_from_a_pdo_card_may_take_either_scaling() {
    let (values, bad) = drawn(&mixed(), 500, 3);
    let rows = (values.clone(), bad.clone());
    let first = draft(
        &mixed(),
        0.5,
        WantedScaling::Pdo(PdoAnchor::default()),
        &rows,
    )
    .unwrap();
    let again = |scaling| {
        let input = RefineInput {
            expert: &first.card,
            model: &mixed(),
            lambda: 0.0,
            scaling,
            rows: Matrix::new(&values, FACTORS).unwrap(),
            bad: &bad,
            weights: None,
        };
        refine(&input, "draft-2", Provenance::default()).unwrap()
    };
    let same = again(WantedScaling::Pdo(PdoAnchor::default()));
    for (a, b) in same.train_raw.iter().zip(&first.train_raw) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    let plain = again(WantedScaling::MinMax).card;
    assert_eq!(plain.scaling(), Scaling::default());
}

#[test]
fn separated_rows_give_no_odds_to_scale_a_blend_by() {
    let values: Vec<f64> = (0..20 * FACTORS)
        .map(|i| f64::from(u8::from(i / FACTORS >= 10)))
        .collect();
    let bad: Vec<bool> = (0..20).map(|i| i < 10).collect();
    let scaling = WantedScaling::Pdo(PdoAnchor::default());
    let rows = (values, bad);
    let error = draft(&mixed(), 0.5, scaling, &rows).unwrap_err();
    assert_eq!(error.reason(), "PDO_WITHOUT_ODDS");
    // The model alone brings its odds with it.
    assert!(draft(&mixed(), 1.0, scaling, &rows).is_ok());
}

#[test]
fn rows_that_contradict_the_points_do_not_turn_them_round() {
    let (values, bad) = drawn(&mixed(), 400, 8);
    let rows = (values, bad.iter().map(|bad| !bad).collect());
    let error = draft(
        &mixed(),
        0.5,
        WantedScaling::Pdo(PdoAnchor::default()),
        &rows,
    )
    .unwrap_err();
    assert_eq!(error.reason(), "PDO_ODDS_REVERSED");
}

#[test]
fn an_anchor_that_makes_no_scale_is_refused() {
    let rows = drawn(&mixed(), 100, 8);
    let anchors = [
        PdoAnchor {
            pdo: 0.0,
            ..PdoAnchor::default()
        },
        PdoAnchor {
            pdo: f64::NAN,
            ..PdoAnchor::default()
        },
        PdoAnchor {
            odds: -1.0,
            ..PdoAnchor::default()
        },
        PdoAnchor {
            base: 9000,
            ..PdoAnchor::default()
        },
    ];
    for anchor in anchors {
        let error = draft(&mixed(), 1.0, WantedScaling::Pdo(anchor), &rows).unwrap_err();
        assert_eq!(error.reason(), "PDO_ANCHOR");
    }
}

#[test]
fn compiled_pdo_card_scores_features_as_rows_of_scaled_factors() {
    let rows = drawn(&mixed(), 200, 8);
    let card = draft(
        &mixed(),
        0.5,
        WantedScaling::Pdo(PdoAnchor::default()),
        &rows,
    )
    .unwrap()
    .card;
    let compiled = card.compile();
    let mut next = uniform(13);
    for _ in 0..50 {
        let features: [f64; FEATURE_COUNT] = std::array::from_fn(|_| next() * 20.0);
        let scored = compiled.score(&FeatureVector::new(features));
        let raw = raw_scores(&card, Matrix::new(&scored.s, FACTORS).unwrap());
        assert_eq!(raw[0].to_bits(), scored.raw.to_bits());
    }
}
