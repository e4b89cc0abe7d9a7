//! What refining must not lose: the model's ranking and PD at λ = 1, the expert's ranking at λ = 0.

use super::*;
use crate::catalogue::{FEATURE_COUNT, FeatureVector};
use crate::expert::expert_card;
use crate::logistic::sigmoid;
use crate::metrics::Ranking;

pub(super) const FACTORS: usize = 13;

pub(super) fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    move || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Rows of scaled factors and outcomes drawn from the model itself.
pub(super) fn drawn(model: &RawModel, n: usize, seed: u64) -> (Vec<f64>, Vec<bool>) {
    let mut next = uniform(seed);
    let values: Vec<f64> = (0..n * FACTORS).map(|_| next()).collect();
    let bad = values
        .chunks_exact(FACTORS)
        .map(|row| next() < model.pd(row))
        .collect();
    (values, bad)
}

fn model(slopes: [f64; FACTORS]) -> RawModel {
    RawModel {
        intercept: 0.7,
        slopes: slopes.to_vec(),
    }
}

pub(super) fn mixed() -> RawModel {
    model([
        -1.5, -0.8, 0.0, 0.4, -0.2, -1.1, -0.6, -2.0, -0.9, 0.3, -0.5, -0.4, -0.1,
    ])
}

fn refined(model: &RawModel, lambda: f64, values: &[f64], bad: &[bool]) -> Refined {
    let input = RefineInput {
        expert: &expert_card(),
        model,
        lambda,
        scaling: WantedScaling::MinMax,
        rows: Matrix::new(values, FACTORS).unwrap(),
        bad,
        weights: None,
    };
    refine(&input, "draft-1", Provenance::default()).unwrap()
}

#[test]
fn model_alone_ranks_as_the_model_does() {
    let model = mixed();
    let (values, bad) = drawn(&model, 800, 3);
    let draft = refined(&model, 1.0, &values, &bad);
    let by_card: Vec<f64> = draft.train_raw.iter().map(|raw| -raw).collect();
    let by_model: Vec<f64> = values
        .chunks_exact(FACTORS)
        .map(|row| model.logit(row))
        .collect();
    let auc = |score: &[f64]| Ranking::new(score, &bad).unwrap().auc();
    assert!((auc(&by_card) - auc(&by_model)).abs() < 1e-12);
    // A factor that the model finds harmful has a negative weight: the sign is flipped exactly once.
    assert!(draft.card.factors()[3].weight < 0.0 && draft.card.factors()[0].weight > 0.0);
    let total: f64 = draft.card.factors().iter().map(|f| f.weight.abs()).sum();
    assert!((total - 100.0).abs() < 1e-9);
}

#[test]
fn expert_alone_scores_as_the_expert_card_does() {
    let model = mixed();
    let (values, bad) = drawn(&model, 400, 5);
    let draft = refined(&model, 0.0, &values, &bad);
    let expert = raw_scores(&expert_card(), Matrix::new(&values, FACTORS).unwrap());
    for (a, b) in draft.train_raw.iter().zip(&expert) {
        assert!((a - b).abs() < 1e-9);
    }
}

#[test]
fn half_and_half_is_the_mean_of_both_normalised_cards() {
    let model = mixed();
    let (values, bad) = drawn(&model, 400, 7);
    let weights = |lambda| -> Vec<f64> {
        let draft = refined(&model, lambda, &values, &bad);
        draft.card.factors().iter().map(|f| f.weight).collect()
    };
    let (expert, half, own) = (weights(0.0), weights(0.5), weights(1.0));
    for j in 0..FACTORS {
        assert!((half[j] - 0.5 * (expert[j] + own[j])).abs() < 1e-12);
    }
}

#[test]
fn fitted_link_matches_the_bad_rate_of_its_training_rows() {
    let model = mixed();
    let (values, bad) = drawn(&model, 2000, 9);
    let draft = refined(&model, 0.5, &values, &bad);
    assert_eq!(draft.missing_link, None);
    let link = draft.card.content().link.unwrap();
    assert!(link.slope < 0.0);
    let expected: f64 = draft
        .train_raw
        .iter()
        .map(|raw| link.probability(*raw, 300))
        .sum();
    let observed = bad.iter().filter(|b| **b).count() as f64;
    assert!((expected - observed).abs() < 1e-4);
}

#[test]
fn raw_scores_are_bit_for_bit_those_of_the_card() {
    let model = mixed();
    let (values, bad) = drawn(&model, 100, 11);
    let card = refined(&model, 0.8, &values, &bad).card;
    let compiled = card.compile();
    let mut next = uniform(13);
    for _ in 0..50 {
        let features: [f64; FEATURE_COUNT] = std::array::from_fn(|_| next() * 20.0);
        let scored = compiled.score(&FeatureVector::new(features));
        let raw = raw_scores(&card, Matrix::new(&scored.s, FACTORS).unwrap());
        assert_eq!(raw[0].to_bits(), scored.raw.to_bits());
    }
}

#[test]
fn zero_coefficient_of_either_sign_gives_one_hash() {
    let mut other = mixed();
    other.slopes[2] = -0.0;
    let (values, bad) = drawn(&mixed(), 100, 1);
    assert_eq!(
        refined(&mixed(), 1.0, &values, &bad).card.hash(),
        refined(&other, 1.0, &values, &bad).card.hash()
    );
}

#[test]
fn model_without_coefficients_is_a_degenerate_card() {
    let flat = model([0.0; FACTORS]);
    let (values, bad) = drawn(&flat, 20, 1);
    let input = RefineInput {
        expert: &expert_card(),
        model: &flat,
        lambda: 0.5,
        scaling: WantedScaling::MinMax,
        rows: Matrix::new(&values, FACTORS).unwrap(),
        bad: &bad,
        weights: None,
    };
    let error = refine(&input, "draft-1", Provenance::default()).unwrap_err();
    assert_eq!(error.reason(), "DEGENERATE_CARD");
}

#[test]
fn model_that_cancels_the_expert_is_a_degenerate_card() {
    let expert = expert_card();
    let opposite = RawModel {
        intercept: 0.0,
        slopes: expert.factors().iter().map(|f| f.weight).collect(),
    };
    let (values, bad) = drawn(&opposite, 20, 1);
    let input = RefineInput {
        expert: &expert,
        model: &opposite,
        lambda: 0.5,
        scaling: WantedScaling::MinMax,
        rows: Matrix::new(&values, FACTORS).unwrap(),
        bad: &bad,
        weights: None,
    };
    let error = refine(&input, "draft-1", Provenance::default()).unwrap_err();
    assert_eq!(error.reason(), "DEGENERATE_CARD");
}

#[test]
fn separated_training_rows_give_a_card_without_a_link_and_say_why() {
    let values: Vec<f64> = (0..20 * FACTORS)
        .map(|i| f64::from(u8::from(i / FACTORS >= 10)))
        .collect();
    let bad: Vec<bool> = (0..20).map(|i| i < 10).collect();
    let all_good = model([-1.0; FACTORS]);
    let draft = refined(&all_good, 0.5, &values, &bad);
    assert_eq!(draft.card.content().link, None);
    assert_eq!(
        draft.missing_link,
        Some(LineError::Separable { bad_is_high: false })
    );
    // The exact link needs no fit.
    let exact = refined(&all_good, 1.0, &values, &bad);
    let pd = exact.card.content().link.unwrap().probability(900.0, 300);
    assert!((pd - sigmoid(0.7 - 13.0)).abs() < 1e-12);
}

#[test]
fn wrong_lambda_and_lengths_are_refused_by_name() {
    let (values, bad) = drawn(&mixed(), 10, 1);
    let expert = expert_card();
    let narrow = RawModel {
        intercept: 0.0,
        slopes: vec![1.0; 3],
    };
    let own = mixed();
    let good = RefineInput {
        expert: &expert,
        model: &own,
        lambda: 0.5,
        scaling: WantedScaling::MinMax,
        rows: Matrix::new(&values, FACTORS).unwrap(),
        bad: &bad,
        weights: None,
    };
    let reason = |input: RefineInput| {
        refine(&input, "draft-1", Provenance::default())
            .unwrap_err()
            .reason()
    };
    assert_eq!(
        reason(RefineInput {
            lambda: 1.5,
            ..good
        }),
        "BAD_LAMBDA"
    );
    assert_eq!(
        reason(RefineInput {
            lambda: f64::NAN,
            ..good
        }),
        "BAD_LAMBDA"
    );
    assert_eq!(
        reason(RefineInput {
            model: &narrow,
            ..good
        }),
        "REFINE_LENGTH"
    );
    assert_eq!(
        reason(RefineInput {
            bad: &bad[1..],
            ..good
        }),
        "REFINE_LENGTH"
    );
}
