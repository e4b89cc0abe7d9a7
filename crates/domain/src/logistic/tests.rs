//! The fit against hand-made cases, its own optimality conditions, and itself under transformations that must not matter.

use proptest::prelude::*;

use super::*;
use crate::matrix::Matrix;

mod shrunken;

struct Sample {
    values: Vec<f64>,
    bad: Vec<bool>,
    columns: usize,
}

impl Sample {
    /// Uniform factors; the first lowers the odds of bad, the second raises them, the others are noise.
    fn draw(n: usize, columns: usize, seed: u64) -> Self {
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        let mut next = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let values: Vec<f64> = (0..n * columns).map(|_| next()).collect();
        let bad = values
            .chunks_exact(columns)
            .map(|row| next() < sigmoid(-1.0 - 2.0 * row[0] + 1.5 * row[1]))
            .collect();
        Self {
            values,
            bad,
            columns,
        }
    }

    fn matrix(&self) -> Matrix<'_> {
        Matrix::new(&self.values, self.columns).unwrap()
    }

    fn fit(&self, options: &FitOptions) -> LogisticFit {
        fit(self.matrix(), &self.bad, None, options).unwrap()
    }

    /// The gradient written out anew from the definition, in the standardised space.
    fn gradient(&self, fit: &LogisticFit, centre: &[f64]) -> Vec<f64> {
        let model = fit.raw_model();
        let mut gradient = vec![0.0; self.columns + 1];
        for (row, bad) in self.matrix().iter().zip(&self.bad) {
            let residual = model.pd(row) - f64::from(u8::from(*bad));
            for j in 0..self.columns {
                let z = (row[j] - fit.standardiser.mean[j]) / fit.standardiser.sd[j];
                gradient[j] += residual * z;
            }
            gradient[self.columns] += residual;
        }
        for j in 0..self.columns {
            gradient[j] += (fit.coefficients[j] - centre[j]) / fit.c;
        }
        gradient
    }
}

#[test]
fn one_flag_solves_its_closed_form_without_penalty() {
    // 3 of 10 bad with the flag, 6 of 10 without; C so large that the penalty vanishes.
    let values: Vec<f64> = (0..20).map(|i| f64::from(u8::from(i < 10))).collect();
    let bad: Vec<bool> = (0..20).map(|i| i < 3 || (10..16).contains(&i)).collect();
    let options = FitOptions {
        c: 1e12,
        ..FitOptions::default()
    };
    let fitted = fit(Matrix::new(&values, 1).unwrap(), &bad, None, &options).unwrap();
    let model = fitted.raw_model();
    assert!(fitted.converged);
    assert!((model.pd(&[1.0]) - 0.3).abs() < 1e-9);
    assert!((model.pd(&[0.0]) - 0.6).abs() < 1e-9);
    // Var of a log-odds difference is Σ 1/cell; the coefficient is on z = ±1, half the difference.
    let expected = 0.5 * (1.0 / 3.0 + 1.0 / 7.0 + 1.0 / 6.0 + 1.0 / 4.0f64).sqrt();
    assert!((fitted.standard_errors[0].unwrap() - expected).abs() < 1e-9);
}

#[test]
fn solution_has_no_gradient_left() {
    let sample = Sample::draw(5000, 6, 7);
    let fitted = sample.fit(&FitOptions::default());
    assert!(fitted.converged);
    assert!(fitted.iterations < 12);
    for g in sample.gradient(&fitted, &[0.0; 6]) {
        assert!(g.abs() < 1e-5, "{g}");
    }
    assert!(fitted.coefficients[0] < 0.0 && fitted.coefficients[1] > 0.0);
}

#[test]
fn constant_column_changes_nothing_and_gets_nothing() {
    let sample = Sample::draw(500, 2, 3);
    let widened: Vec<f64> = sample
        .values
        .chunks_exact(2)
        .flat_map(|row| [row[0], 0.1, row[1]])
        .collect();
    let plain = sample.fit(&FitOptions::default());
    let wide = fit(
        Matrix::new(&widened, 3).unwrap(),
        &sample.bad,
        None,
        &FitOptions::default(),
    )
    .unwrap();
    assert_eq!(wide.coefficients[1], 0.0);
    assert_eq!(wide.standard_errors[1], None);
    assert_eq!(wide.raw_model().slopes[1], 0.0);
    assert!((wide.coefficients[2] - plain.coefficients[1]).abs() < 1e-9);
}

#[test]
fn separable_data_still_has_a_penalised_fit() {
    let values = [0.0, 0.1, 0.2, 0.8, 0.9, 1.0];
    let bad = [true, true, true, false, false, false];
    let fitted = fit(
        Matrix::new(&values, 1).unwrap(),
        &bad,
        None,
        &FitOptions::default(),
    )
    .unwrap();
    assert!(fitted.converged && fitted.coefficients[0] < 0.0);
}

#[test]
fn bounded_fit_holds_the_wrong_sign_at_zero_and_satisfies_kkt() {
    let sample = Sample::draw(4000, 4, 11);
    // The data wants column 0 negative and column 1 positive; both are forbidden.
    let options = FitOptions {
        signs: vec![
            SignBound::NonNegative,
            SignBound::NonPositive,
            SignBound::Free,
            SignBound::NonPositive,
        ],
        ..FitOptions::default()
    };
    let fitted = sample.fit(&options);
    assert!(fitted.converged);
    assert_eq!(fitted.coefficients[..2], [0.0, 0.0]);
    assert_eq!(fitted.standard_errors[0], None);
    let gradient = sample.gradient(&fitted, &[0.0; 4]);
    assert!(
        gradient[0] > 0.0,
        "descent would need a negative coefficient"
    );
    assert!(
        gradient[1] < 0.0,
        "descent would need a positive coefficient"
    );
    assert!(gradient[2].abs() < 1e-5 && gradient[4].abs() < 1e-5);
}

#[test]
fn bounds_the_data_agrees_with_do_not_change_the_fit() {
    let sample = Sample::draw(4000, 2, 5);
    let bounded = sample.fit(&FitOptions {
        signs: vec![SignBound::NonPositive, SignBound::NonNegative],
        ..FitOptions::default()
    });
    let free = sample.fit(&FitOptions::default());
    for j in 0..2 {
        assert!((bounded.coefficients[j] - free.coefficients[j]).abs() < 1e-6);
    }
}

#[test]
fn balanced_weights_are_taken_out_of_the_intercept_again() {
    let sample = Sample::draw(20_000, 2, 9);
    let balanced = sample.fit(&FitOptions {
        class_weights: ClassWeights::Balanced,
        ..FitOptions::default()
    });
    let model = balanced.raw_model();
    let expected: f64 = sample.matrix().iter().map(|row| model.pd(row)).sum();
    let observed = sample.bad.iter().filter(|b| **b).count() as f64;
    assert!(
        (expected / observed - 1.0).abs() < 0.05,
        "{expected} {observed}"
    );
}

#[test]
fn weight_two_equals_the_row_twice() {
    let sample = Sample::draw(300, 3, 2);
    let weights: Vec<f64> = (0..300)
        .map(|i| if i % 3 == 0 { 2.0 } else { 1.0 })
        .collect();
    let weighted = fit(
        sample.matrix(),
        &sample.bad,
        Some(&weights),
        &FitOptions::default(),
    )
    .unwrap();
    let order: Vec<usize> = (0..300)
        .flat_map(|i| std::iter::repeat_n(i, weights[i] as usize))
        .collect();
    let values = sample.matrix().select(&order);
    let bad: Vec<bool> = order.iter().map(|&i| sample.bad[i]).collect();
    let repeated = fit(
        Matrix::new(&values, 3).unwrap(),
        &bad,
        None,
        &FitOptions::default(),
    )
    .unwrap();
    for j in 0..3 {
        assert!((weighted.coefficients[j] - repeated.coefficients[j]).abs() < 1e-8);
    }
}

#[test]
fn weights_in_the_millions_converge_on_the_fit_of_the_small_ones() {
    let sample = Sample::draw(1000, 4, 23);
    let small: Vec<f64> = (0..1000).map(|i| 0.5 + f64::from(i % 7)).collect();
    let great: Vec<f64> = small.iter().map(|w| 1e7 * w).collect();
    let signs = [SignBound::NonPositive; 4];
    for (penalty, signs) in [
        (Penalty::L2, Vec::new()),
        (Penalty::L2, signs.to_vec()),
        (Penalty::None, Vec::new()),
    ] {
        let fitted = |weights: &[f64], c| {
            let options = FitOptions {
                penalty,
                c,
                signs: signs.clone(),
                ..FitOptions::default()
            };
            fit(sample.matrix(), &sample.bad, Some(weights), &options).unwrap()
        };
        // The loss grows with the weights, so the penalty has to.
        let (small, great) = (fitted(&small, 1.0), fitted(&great, 1e-7));
        assert!(small.converged && great.converged, "{great:?}");
        assert!((small.intercept - great.intercept).abs() < 1e-9);
        for (a, b) in small.coefficients.iter().zip(&great.coefficients) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }
}

#[test]
fn cross_validation_prefers_strength_where_everything_is_noise() {
    let mut sample = Sample::draw(200, 4, 13);
    for (i, bad) in sample.bad.iter_mut().enumerate() {
        *bad = i % 2 == 0;
    }
    let folds: Vec<usize> = (0..200).map(|i| (i / 2) % 5).collect();
    let search = search_c(
        sample.matrix(),
        &sample.bad,
        None,
        &folds,
        &DEFAULT_C_GRID,
        &FitOptions::default(),
    )
    .unwrap();
    assert_eq!(search.c, 0.01);
    assert_eq!(search.losses.len(), DEFAULT_C_GRID.len());
}

#[test]
fn what_cannot_be_fitted_is_refused_by_name() {
    let matrix = Matrix::new(&[0.0, 1.0], 1).unwrap();
    let refuse = |bad: &[bool], weights: Option<&[f64]>, c: f64| {
        let options = FitOptions {
            c,
            ..FitOptions::default()
        };
        fit(matrix, bad, weights, &options).unwrap_err()
    };
    assert_eq!(refuse(&[true, true], None, 1.0), LogisticError::SingleClass);
    assert_eq!(
        refuse(&[true, false], Some(&[1.0, 0.0]), 1.0),
        LogisticError::SingleClass
    );
    assert!(matches!(
        refuse(&[true, false], Some(&[1.0, -1.0]), 1.0),
        LogisticError::BadWeight { row: 1, .. }
    ));
    assert!(matches!(
        refuse(&[true], None, 1.0),
        LogisticError::Length { .. }
    ));
    assert!(matches!(
        refuse(&[true, false], None, 0.0),
        LogisticError::BadC { .. }
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_bounded_fit_satisfies_kkt(seed in any::<u64>(), choice in prop::collection::vec(0usize..3, 4), c in 0.01f64..10.0) {
        let sample = Sample::draw(150, 4, seed);
        let all = [SignBound::Free, SignBound::NonNegative, SignBound::NonPositive];
        let signs: Vec<SignBound> = choice.iter().map(|i| all[*i]).collect();
        let options = FitOptions { c, signs: signs.clone(), ..FitOptions::default() };
        prop_assume!(sample.bad.iter().any(|b| *b) && sample.bad.iter().any(|b| !*b));
        let fitted = sample.fit(&options);
        prop_assert!(fitted.converged);
        let gradient = sample.gradient(&fitted, &[0.0; 4]);
        for j in 0..4 {
            let b = fitted.coefficients[j];
            prop_assert!(signs[j].allows(b));
            let g = gradient[j];
            if b != 0.0 || signs[j] == SignBound::Free {
                prop_assert!(g.abs() < 1e-6);
            } else if signs[j] == SignBound::NonNegative {
                prop_assert!(g > -1e-6);
            } else {
                prop_assert!(g < 1e-6);
            }
        }
    }
}

fn unpenalised() -> FitOptions {
    FitOptions {
        penalty: Penalty::None,
        ..FitOptions::default()
    }
}

#[test]
fn unpenalised_fit_leaves_no_gradient_and_ignores_c() {
    let sample = Sample::draw(2000, 3, 21);
    let fitted = sample.fit(&unpenalised());
    assert!(fitted.converged);
    assert_eq!(fitted.penalty, Penalty::None);
    let other = sample.fit(&FitOptions {
        c: 1e-3,
        ..unpenalised()
    });
    assert_eq!(fitted.coefficients, other.coefficients);
    let model = fitted.raw_model();
    for j in 0..3 {
        let gradient: f64 = sample
            .matrix()
            .iter()
            .zip(&sample.bad)
            .map(|(row, bad)| (model.pd(row) - f64::from(u8::from(*bad))) * row[j])
            .sum();
        assert!(gradient.abs() < 1e-6, "{gradient}");
    }
}

#[test]
fn constant_column_gets_nothing_without_a_penalty_too() {
    let sample = Sample::draw(500, 2, 3);
    let widened: Vec<f64> = sample
        .values
        .chunks_exact(2)
        .flat_map(|row| [row[0], 0.1, row[1]])
        .collect();
    let matrix = Matrix::new(&widened, 3).unwrap();
    let wide = fit(matrix, &sample.bad, None, &unpenalised()).unwrap();
    let plain = sample.fit(&unpenalised());
    assert_eq!((wide.coefficients[1], wide.standard_errors[1]), (0.0, None));
    assert!((wide.coefficients[2] - plain.coefficients[1]).abs() < 1e-9);
}

#[test]
fn separation_is_an_error_without_a_penalty_complete_or_not() {
    // Apart, then touching at one value.
    let complete = ([0.0, 0.1, 0.2, 0.8, 0.9, 1.0].to_vec(), 1, 3);
    let touching = ([0.0, 0.1, 0.5, 0.5, 0.9, 1.0].to_vec(), 1, 3);
    for (values, columns, goods) in [complete, touching] {
        let bad: Vec<bool> = (0..values.len()).map(|i| i >= goods).collect();
        let matrix = Matrix::new(&values, columns).unwrap();
        let error = fit(matrix, &bad, None, &unpenalised()).unwrap_err();
        assert_eq!(error, LogisticError::Separable);
    }
    // A rare flag that is always bad, among rows that overlap.
    let mut sample = Sample::draw(5000, 3, 17);
    for i in 0..5000 {
        let rare = i % 1000 == 0;
        sample.values[i * 3 + 2] = f64::from(u8::from(rare));
        sample.bad[i] |= rare;
    }
    let error = fit(sample.matrix(), &sample.bad, None, &unpenalised()).unwrap_err();
    assert_eq!(error, LogisticError::Separable);
    // Held at zero by its sign the flag separates nothing.
    let bounded = sample.fit(&FitOptions {
        signs: vec![SignBound::Free, SignBound::Free, SignBound::NonPositive],
        ..unpenalised()
    });
    assert!(bounded.converged);
    assert_eq!(bounded.coefficients[2], 0.0);
}

#[test]
fn collinear_columns_are_named_without_a_penalty_and_shared_with_one() {
    let sample = Sample::draw(400, 3, 19);
    let widened: Vec<f64> = sample
        .values
        .chunks_exact(3)
        .flat_map(|row| [row[0], row[1], row[2], 4.0 - row[0] + 2.0 * row[2]])
        .collect();
    let matrix = Matrix::new(&widened, 4).unwrap();
    let error = fit(matrix, &sample.bad, None, &unpenalised()).unwrap_err();
    assert_eq!(
        error,
        LogisticError::Collinear {
            columns: vec![0, 2, 3]
        }
    );
    let ridge = fit(matrix, &sample.bad, None, &FitOptions::default()).unwrap();
    assert!(ridge.converged);
}

#[test]
fn what_rests_on_the_penalty_is_refused_without_it() {
    let sample = Sample::draw(200, 2, 23);
    let options = FitOptions {
        expert_weights: Some(vec![1.0, 2.0]),
        ..unpenalised()
    };
    let error = fit(sample.matrix(), &sample.bad, None, &options).unwrap_err();
    assert_eq!(error.reason(), "FIT_NEEDS_PENALTY");
    let folds: Vec<usize> = (0..200).map(|i| i % 5).collect();
    let grid = &DEFAULT_C_GRID;
    let search = search_c(
        sample.matrix(),
        &sample.bad,
        None,
        &folds,
        grid,
        &unpenalised(),
    );
    assert_eq!(search.unwrap_err().reason(), "FIT_NEEDS_PENALTY");
}

#[test]
fn options_written_before_there_was_a_choice_of_penalty_mean_l2() {
    let json = r#"{"c": 0.5, "signs": [], "expert_weights": null, "class_weights": "off"}"#;
    let options: FitOptions = serde_json::from_str(json).unwrap();
    assert_eq!((options.penalty, options.c), (Penalty::L2, 0.5));
}

#[test]
fn columns_and_weights_that_overflow_are_refused() {
    let bad = [true, false, true, false];
    let huge = [1e308, -1e308, 1e308, 1e308];
    let matrix = Matrix::new(&huge, 1).unwrap();
    let error = fit(matrix, &bad, None, &FitOptions::default()).unwrap_err();
    assert_eq!(error, LogisticError::Overflow { column: 0 });
    let plain = [1.0, 2.0, 2.0, 1.0];
    let matrix = Matrix::new(&plain, 1).unwrap();
    let weights = Some(&[1e308; 4][..]);
    let error = fit(matrix, &bad, weights, &FitOptions::default()).unwrap_err();
    assert!(["FIT_OVERFLOW", "FIT_WEIGHT_OVERFLOW"].contains(&error.reason()));
}
