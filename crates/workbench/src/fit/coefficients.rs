//! The rows of the coefficient table.

use kycc_domain::logistic::{LogisticFit, RawModel, SignBound};
use kycc_domain::vif::Vif;
use serde::Serialize;
use statrs::function::erf::erfc;

use crate::design::Design;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intercept {
    /// With every feature at its mean.
    pub standardised: f64,
    pub standard_error: Option<f64>,
    /// With every feature at 0.
    pub per_unit: f64,
}

/// One feature of a fit. Where a bound holds the coefficient at 0, or the feature is constant, it has no error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coefficient {
    pub feature: String,
    /// Of the training rows, weighted where they have weights.
    pub mean: f64,
    /// Population standard deviation.
    pub sd: f64,
    /// Of the logit of bad, per standard deviation.
    pub coefficient: f64,
    /// From the inverse of the (penalised) Hessian.
    pub standard_error: Option<f64>,
    pub z: Option<f64>,
    /// Two-sided, of "no effect".
    pub p_value: Option<f64>,
    /// Per unit of the feature: `coefficient/sd`.
    pub per_unit: f64,
    pub per_unit_standard_error: Option<f64>,
    /// Variance inflation factor, 1 for a feature that shares nothing with the others.
    pub vif: Vif,
    /// `free`, `+` or `-`.
    pub sign: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imputed: Option<f64>,
    /// Of the feature's bins, where the fit is on weights of evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub information_value: Option<f64>,
}

pub(super) fn of(
    features: &[String],
    design: &Design,
    fit: &LogisticFit,
    model: &RawModel,
    signs: &[SignBound],
    vif: &[Vif],
) -> (Intercept, Vec<Coefficient>) {
    let intercept = Intercept {
        standardised: fit.intercept,
        standard_error: fit.intercept_standard_error,
        per_unit: model.intercept,
    };
    let coefficients = (0..features.len())
        .map(|j| {
            let (coefficient, sd) = (fit.coefficients[j], fit.standardiser.sd[j]);
            let standard_error = fit.standard_errors[j];
            let z = standard_error.filter(|e| *e > 0.0).map(|e| coefficient / e);
            Coefficient {
                feature: features[j].clone(),
                mean: fit.standardiser.mean[j],
                sd,
                coefficient,
                standard_error,
                z,
                p_value: z.map(|z| erfc(z.abs() / std::f64::consts::SQRT_2)),
                per_unit: model.slopes[j],
                per_unit_standard_error: standard_error.map(|e| e / sd),
                vif: vif[j],
                sign: match signs[j] {
                    SignBound::Free => "free",
                    SignBound::NonNegative => "+",
                    SignBound::NonPositive => "-",
                },
                imputed: design.imputed[j],
                information_value: design
                    .bins
                    .as_ref()
                    .map(|bins| bins[j].binning.information_value),
            }
        })
        .collect();
    (intercept, coefficients)
}
