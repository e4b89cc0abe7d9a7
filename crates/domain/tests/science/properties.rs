//! Changes that must not matter do not, and what has no answer is refused by name: no result is ever NaN.

use kycc_domain::logistic::{ClassWeights, FitOptions, Penalty, fit, sigmoid};
use kycc_domain::matrix::Matrix;
use kycc_domain::metrics::{Curves, Ranking, bootstrap, delong, evaluate};
use kycc_domain::psi::psi;
use proptest::prelude::*;

use crate::rows::Draws;

/// Sample of `n` rows: factors, labels that depend on them, weights of which some are zero.
fn sample(seed: u64, n: usize, columns: usize) -> (Vec<f64>, Vec<bool>, Vec<f64>) {
    let mut draws = Draws::new(seed);
    let factors: Vec<f64> = (0..n * columns).map(|_| draws.take()).collect();
    let bad = factors
        .chunks_exact(columns)
        .map(|row| draws.take() < sigmoid(1.5 * row[0] - 1.0 * row[columns - 1] - 0.8))
        .collect();
    let weights = (0..n).map(|_| (draws.take() * 4.0).floor()).collect();
    (factors, bad, weights)
}

/// Numbers 0..n in an order drawn from the seed.
fn order(seed: u64, n: usize) -> Vec<usize> {
    let mut draws = Draws::new(seed);
    let mut keyed: Vec<(f64, usize)> = (0..n).map(|i| (draws.take(), i)).collect();
    keyed.sort_by(|a, b| a.partial_cmp(b).unwrap());
    keyed.into_iter().map(|(_, i)| i).collect()
}

fn options(penalty: Penalty) -> FitOptions {
    FitOptions {
        penalty,
        ..FitOptions::default()
    }
}

prop_compose! {
    /// Coarse scores, so that ties abound, of both classes.
    fn scored()(cells in prop::collection::vec((0u8..30, any::<bool>()), 4..200)) -> (Vec<f64>, Vec<bool>) {
        let score = cells.iter().map(|(s, _)| (1.0 + f64::from(*s)) / 32.0).collect();
        let mut bad: Vec<bool> = cells.iter().map(|(_, b)| *b).collect();
        (bad[0], bad[1], bad[2], bad[3]) = (true, false, true, false);
        (score, bad)
    }
}

proptest! {
    #[test]
    fn ranking_metrics_see_only_the_order_of_scores((score, bad) in scored(), power in 0.5f64..4.0) {
        let plain = Ranking::new(&score, &bad).unwrap();
        let maps: [&dyn Fn(f64) -> f64; 3] = [
            &|s| -900.0 + 600.0 * s,
            &|s| (s / (1.0 - s)).ln(),
            &|s| s.powf(power) * 1e-300,
        ];
        for map in maps {
            let mapped: Vec<f64> = score.iter().map(|s| map(*s)).collect();
            let found = Ranking::new(&mapped, &bad).unwrap();
            prop_assert_eq!(found.auc().to_bits(), plain.auc().to_bits());
            prop_assert_eq!(found.ks().to_bits(), plain.ks().to_bits());
            prop_assert_eq!(found.average_precision().to_bits(), plain.average_precision().to_bits());
            prop_assert_eq!(found.lift_top_tenth().to_bits(), plain.lift_top_tenth().to_bits());
            prop_assert_eq!(delong(&mapped, &bad).unwrap(), delong(&score, &bad).unwrap());
        }
    }

    #[test]
    fn order_of_rows_changes_no_bit_of_metrics_by_rank((score, bad) in scored(), seed in any::<u64>()) {
        let rows = order(seed, score.len());
        let moved: Vec<f64> = rows.iter().map(|i| score[*i]).collect();
        let labels: Vec<bool> = rows.iter().map(|i| bad[*i]).collect();
        let (a, b) = (Ranking::new(&score, &bad).unwrap(), Ranking::new(&moved, &labels).unwrap());
        prop_assert_eq!(a.auc().to_bits(), b.auc().to_bits());
        prop_assert_eq!(a.ks().to_bits(), b.ks().to_bits());
        prop_assert_eq!(a.average_precision().to_bits(), b.average_precision().to_bits());
        prop_assert_eq!(a.delong().unwrap(), b.delong().unwrap());
        prop_assert_eq!(psi(&score, &score[..2]).unwrap(), psi(&moved, &score[..2]).unwrap());
        let curves = (Curves::of(&score, &bad).unwrap(), Curves::of(&moved, &labels).unwrap());
        prop_assert_eq!(curves.0.roc, curves.1.roc);
        prop_assert_eq!(curves.0.lift, curves.1.lift);
    }

    #[test]
    fn certain_predictions_give_numbers_too(cells in prop::collection::vec((0u8..3, any::<bool>()), 2..40)) {
        let pd: Vec<f64> = cells.iter().map(|(p, _)| f64::from(*p) / 2.0).collect();
        let bad: Vec<bool> = cells.iter().map(|(_, b)| *b).collect();
        match evaluate(&pd, &bad, 0.5) {
            Ok(found) => {
                let intervals = bootstrap(&pd, &bad, 20, 3).unwrap();
                let curves = Curves::of(&pd, &bad).unwrap();
                // JSON has no NaN: serde_json writes one as null, which is what must not appear.
                let json = serde_json::to_value((intervals.auc, intervals.ks, intervals.average_precision,
                    intervals.brier, intervals.log_loss, found.auc, found.log_loss, curves.lift, curves.ks)).unwrap();
                prop_assert!(!json.to_string().contains("null"), "{json}");
            }
            Err(error) => prop_assert_eq!(error.reason(), "SINGLE_CLASS"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_of_rows_hardly_moves_a_fit(seed in any::<u64>(), unpenalised in any::<bool>()) {
        let (n, columns) = (5_000, 4);
        let (factors, bad, weights) = sample(seed, n, columns);
        let matrix = Matrix::new(&factors, columns).unwrap();
        let rows = order(seed ^ 7, n);
        let moved = matrix.select(&rows);
        let labels: Vec<bool> = rows.iter().map(|i| bad[*i]).collect();
        let moved_weights: Vec<f64> = rows.iter().map(|i| weights[*i]).collect();
        let options = options(if unpenalised { Penalty::None } else { Penalty::L2 });
        let a = fit(matrix, &bad, Some(&weights), &options).unwrap();
        let b = fit(Matrix::new(&moved, columns).unwrap(), &labels, Some(&moved_weights), &options).unwrap();
        for (x, y) in a.coefficients.iter().zip(&b.coefficients) {
            prop_assert!((x - y).abs() < 1e-9, "{x} {y}");
        }
        prop_assert!((a.intercept - b.intercept).abs() < 1e-9);
    }

    #[test]
    fn any_fit_answers_in_numbers_or_says_why_not(
        seed in any::<u64>(), n in 2usize..40, columns in 1usize..5, kind in 0usize..4,
    ) {
        let (mut factors, bad, weights) = sample(seed, n, columns);
        for (i, row) in factors.chunks_exact_mut(columns).enumerate() {
            match kind {
                // Constant, a copy of another column, the label itself.
                1 => row[0] = 2.0,
                2 => row[columns - 1] = 3.0 * row[0],
                3 => row[0] = f64::from(u8::from(bad[i])),
                _ => {}
            }
        }
        let matrix = Matrix::new(&factors, columns).unwrap();
        for penalty in [Penalty::L2, Penalty::None] {
            for class_weights in [ClassWeights::Off, ClassWeights::Balanced] {
                let options = FitOptions { class_weights, ..options(penalty) };
                match fit(matrix, &bad, Some(&weights), &options) {
                    Ok(found) => {
                        let all = found.coefficients.iter().chain([&found.intercept, &found.gradient_norm]);
                        prop_assert!(all.chain(found.standard_errors.iter().flatten()).all(|v| v.is_finite()));
                        prop_assert!(found.converged);
                        if penalty == Penalty::None {
                            prop_assert!(found.coefficients.iter().all(|b| b.abs() < 1e3), "{found:?}");
                        }
                    }
                    Err(error) => {
                        let reasons: &[&str] = match penalty {
                            Penalty::L2 => &["SINGLE_CLASS"],
                            Penalty::None => &["SINGLE_CLASS", "FIT_COLLINEAR", "FIT_SEPARABLE"],
                        };
                        prop_assert!(reasons.contains(&error.reason()), "{error:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn sample_to_start_from_changes_nothing_but_the_time() {
    // Above the row count from which a sample is fitted first; the same rows below it, each standing for two.
    let (factors, bad, _) = sample(5, 40_000, 6);
    let twice: Vec<f64> = factors.iter().chain(&factors).copied().collect();
    let labels: Vec<bool> = bad.iter().chain(&bad).copied().collect();
    let once = fit(
        Matrix::new(&factors, 6).unwrap(),
        &bad,
        Some(&[2.0; 40_000]),
        &FitOptions::default(),
    )
    .unwrap();
    let doubled = fit(
        Matrix::new(&twice, 6).unwrap(),
        &labels,
        None,
        &FitOptions::default(),
    )
    .unwrap();
    assert!(once.converged && doubled.converged);
    assert!(doubled.iterations < once.iterations);
    for (a, b) in once.coefficients.iter().zip(&doubled.coefficients) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}
