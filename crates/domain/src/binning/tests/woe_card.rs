//! The card on weights of evidence: points add up to the scaled log-odds.

use proptest::prelude::*;

use super::*;
use crate::logistic::{FitOptions, RawModel, SignBound};
use crate::matrix::Matrix;

const PDO: PointScaling = PointScaling::Pdo {
    base: 600.0,
    odds: 50.0,
    pdo: 20.0,
};
const MIN_MAX: PointScaling = PointScaling::MinMax {
    base: 300.0,
    max: 900.0,
};

/// Three columns: one rising with risk, one falling with missing and special values, one constant.
fn data() -> (Vec<Vec<f64>>, Vec<bool>) {
    let n = 2000u64;
    let mix = |i: u64, k: u64| (i * k + i * i * 31) % 1009;
    let up: Vec<f64> = (0..n).map(|i| mix(i, 7) as f64).collect();
    let down: Vec<f64> = (0..n)
        .map(|i| match i {
            i if i % 19 == 0 => f64::NAN,
            i if i % 23 == 0 => -1.0,
            i => mix(i, 13) as f64,
        })
        .collect();
    let bad = (0..n)
        .map(|i| mix(i, 101) < 50 + mix(i, 7) / 5 + (1009 - mix(i, 13)) / 7)
        .collect();
    (vec![up, down, vec![4.0; n as usize]], bad)
}

fn binned(columns: &[Vec<f64>], bad: &[bool]) -> Vec<NamedBinning> {
    let options = BinningOptions {
        special: vec![-1.0],
        ..BinningOptions::default()
    };
    columns
        .iter()
        .enumerate()
        .map(|(j, values)| NamedBinning {
            name: format!("x{j}"),
            binning: optimal_bins(values, bad, None, &options).unwrap(),
        })
        .collect()
}

fn card(scaling: PointScaling) -> (WoeCard, Vec<Vec<f64>>, RawModel) {
    let (columns, bad) = data();
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let options = FitOptions::default();
    let (card, fit) = fit_woe_card(
        binned(&columns, &bad),
        &slices,
        &bad,
        None,
        &options,
        scaling,
    )
    .unwrap();
    (card, columns, fit.raw_model())
}

fn row(columns: &[Vec<f64>], at: usize) -> Vec<f64> {
    columns.iter().map(|column| column[at]).collect()
}

#[test]
fn points_add_up_to_the_scaled_log_odds_and_give_the_models_probability() {
    for scaling in [PDO, MIN_MAX] {
        let (card, columns, model) = card(scaling);
        for at in 0..columns[0].len() {
            let row = row(&columns, at);
            let woe: Vec<f64> = card
                .factors
                .iter()
                .zip(&row)
                .map(|(f, x)| f.binning.woe(*x))
                .collect();
            let score = card.score(&row);
            let expected = card.offset - card.factor * model.logit(&woe);
            assert!((score - expected).abs() < 1e-9, "{score} {expected}");
            let points: f64 = card.points(&row).iter().sum();
            assert!((card.base_points + points - score).abs() < 1e-9);
            assert!((card.pd(score) - model.pd(&woe)).abs() < 1e-12);
        }
    }
}

#[test]
fn odds_double_every_pdo_points() {
    let (card, ..) = card(PDO);
    let odds = |score: f64| (1.0 - card.pd(score)) / card.pd(score);
    assert!((odds(600.0) - 50.0).abs() < 1e-9);
    assert!((odds(620.0) - 100.0).abs() < 1e-9);
    assert!((odds(580.0) - 25.0).abs() < 1e-9);
    assert_eq!(card.base_points, 0.0);
}

#[test]
fn min_max_scores_run_from_base_to_max() {
    let (card, ..) = card(MIN_MAX);
    let (mut least, mut most) = (card.base_points, card.base_points);
    for factor in &card.factors {
        let FactorPoints {
            bins,
            missing,
            special,
        } = &factor.points;
        let all = || bins.iter().chain(special).chain([missing]);
        assert_eq!(all().copied().fold(f64::INFINITY, f64::min), 0.0);
        least += all().copied().fold(f64::INFINITY, f64::min);
        most += all().copied().fold(0.0, f64::max);
    }
    assert_eq!(least, 300.0);
    assert!((most - 900.0).abs() < 1e-9);
}

#[test]
fn card_round_trips_as_json_and_scores_alike() {
    let (card, columns, _) = card(PDO);
    let text = serde_json::to_string(&card).unwrap();
    let back: WoeCard = serde_json::from_str(&text).unwrap();
    assert_eq!(back, card);
    assert_eq!(back.score(&row(&columns, 3)), card.score(&row(&columns, 3)));
}

#[test]
fn missing_value_that_was_never_missing_before_gets_the_points_of_no_evidence() {
    let (card, columns, model) = card(PDO);
    let mut row = row(&columns, 5);
    row[0] = f64::NAN;
    let without = card.points(&row)[0];
    let part = (card.offset - card.factor * model.intercept) / 3.0;
    assert!((without - part).abs() < 1e-9);
}

#[test]
fn sign_bounds_hold_on_the_coefficients() {
    let (columns, bad) = data();
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let options = FitOptions {
        signs: vec![
            SignBound::NonNegative,
            SignBound::NonPositive,
            SignBound::Free,
        ],
        ..FitOptions::default()
    };
    let (card, _) =
        fit_woe_card(binned(&columns, &bad), &slices, &bad, None, &options, PDO).unwrap();
    assert_eq!(card.factors[0].coefficient, 0.0);
    assert!(card.factors[1].coefficient < 0.0);
}

#[test]
fn weight_of_evidence_alone_recovers_the_odds_of_its_bins() {
    let (columns, bad) = data();
    let (binned, columns) = (&binned(&columns, &bad)[..1], &columns[..1]);
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let free = FitOptions {
        c: 1e12,
        ..FitOptions::default()
    };
    let rows = woe_rows(binned, &slices).unwrap();
    let model = crate::logistic::fit(Matrix::new(&rows, 1).unwrap(), &bad, None, &free)
        .unwrap()
        .raw_model();
    assert!((model.slopes[0] + 1.0).abs() < 1e-6);
    for bin in &binned[0].binning.bins {
        assert!((model.pd(&[bin.woe]) - bin.bad_rate).abs() < 1e-6);
    }
}

#[test]
fn cards_that_cannot_be_written_are_refused_by_name() {
    let (columns, bad) = data();
    let binned = binned(&columns, &bad);
    let model = |slope: f64| RawModel {
        intercept: -2.0,
        slopes: vec![slope; 3],
    };
    let reason = |slope, scaling| {
        WoeCard::new(binned.clone(), &model(slope), scaling)
            .unwrap_err()
            .reason()
    };
    assert_eq!(reason(0.0, MIN_MAX), "DEGENERATE_CARD");
    assert_eq!(reason(f64::NAN, PDO), "BAD_MODEL");
    for (base, odds, pdo) in [
        (600.0, 0.0, 20.0),
        (600.0, 50.0, 0.0),
        (f64::NAN, 50.0, 20.0),
        (600.0, -1.0, 20.0),
    ] {
        assert_eq!(
            reason(-1.0, PointScaling::Pdo { base, odds, pdo }),
            "BAD_SCALING"
        );
    }
    let upside_down = PointScaling::MinMax {
        base: 900.0,
        max: 300.0,
    };
    assert_eq!(reason(-1.0, upside_down), "BAD_SCALING");
    let short = RawModel {
        intercept: 0.0,
        slopes: vec![1.0],
    };
    assert_eq!(
        WoeCard::new(binned, &short, PDO).unwrap_err().reason(),
        "LENGTH_MISMATCH"
    );
    assert_eq!(
        WoeCard::new(Vec::new(), &short, PDO).unwrap_err().reason(),
        "BAD_MATRIX"
    );
}

proptest! {
    #[test]
    fn total_of_any_model_is_its_scaled_log_odds(
        intercept in -6.0f64..6.0,
        slopes in prop::collection::vec(-3.0f64..3.0, 3),
        at in 0usize..2000,
    ) {
        let (columns, bad) = data();
        let binned = binned(&columns, &bad);
        let row = row(&columns, at);
        let woe: Vec<f64> = binned.iter().zip(&row).map(|(b, x)| b.binning.woe(*x)).collect();
        let model = RawModel { intercept, slopes };
        for scaling in [PDO, MIN_MAX] {
            let card = WoeCard::new(binned.clone(), &model, scaling).unwrap();
            let score = card.score(&row);
            prop_assert!((score - (card.offset - card.factor * model.logit(&woe))).abs() < 1e-9);
            if scaling == MIN_MAX {
                prop_assert!((300.0 - 1e-9..=900.0 + 1e-9).contains(&score));
            }
        }
    }
}
