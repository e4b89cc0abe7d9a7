//! Fits that are pulled towards the expert card.

use super::*;

#[test]
fn strong_shrinking_lands_on_the_scaled_expert_card() {
    let sample = Sample::draw(3000, 3, 4);
    let expert = vec![20.0, -15.0, 5.0];
    let fitted = sample.fit(&FitOptions {
        c: 1e-9,
        expert_weights: Some(expert.clone()),
        ..FitOptions::default()
    });
    let kappa = fitted.kappa.unwrap();
    assert!(kappa.value > 0.0 && !kappa.separable);
    for (j, weight) in expert.iter().enumerate() {
        let centre = -kappa.value * weight * fitted.standardiser.sd[j];
        assert!((fitted.coefficients[j] - centre).abs() < 1e-4);
    }
}

#[test]
fn gradient_of_a_shrunken_fit_is_taken_from_the_expert_centre() {
    let sample = Sample::draw(400, 3, 6);
    let expert = [10.0, -10.0, 3.0];
    let fitted = sample.fit(&FitOptions {
        expert_weights: Some(expert.to_vec()),
        ..FitOptions::default()
    });
    let kappa = fitted.kappa.unwrap().value;
    let centre: Vec<f64> = (0..3)
        .map(|j| -kappa * expert[j] * fitted.standardiser.sd[j])
        .collect();
    for g in sample.gradient(&fitted, &centre) {
        assert!(g.abs() < 1e-6, "{g}");
    }
}

#[test]
fn expert_that_is_wrong_all_over_is_not_followed() {
    let sample = Sample::draw(3000, 2, 8);
    let fitted = sample.fit(&FitOptions {
        expert_weights: Some(vec![-10.0, 10.0]),
        ..FitOptions::default()
    });
    assert_eq!(fitted.kappa.unwrap().value, 0.0);
}

#[test]
fn expert_that_separates_the_classes_gets_a_finite_kappa() {
    let values = [0.0, 0.1, 0.2, 0.8, 0.9, 1.0];
    let bad = [true, true, true, false, false, false];
    let options = FitOptions {
        expert_weights: Some(vec![10.0]),
        ..FitOptions::default()
    };
    let fitted = fit(Matrix::new(&values, 1).unwrap(), &bad, None, &options).unwrap();
    let kappa = fitted.kappa.unwrap();
    assert!(kappa.separable && kappa.value.is_finite() && kappa.value > 0.0);
}
