//! What is known of each factor of a model besides its coefficient: how far others tell the same, and what it tells of
//! bad when looked at alone. All of it is of the training rows.

use kycc_domain::binning::{Binning, BinningError, BinningOptions, bin_columns};
use kycc_domain::card::Scorecard;
use kycc_domain::catalogue::{Direction, FEATURES, FeatureSpec, feature_index};
use kycc_domain::logistic::SignBound;
use kycc_domain::matrix::Matrix;
use kycc_domain::vif::{Vif, VifError, vif};
use serde::{Deserialize, Serialize};

use super::rows::{LabelledRow, Sample};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FactorReport {
    /// Of the scaled factor, weighted as in the fit.
    pub(crate) variance_inflation: Vif,
    /// The coefficient has the sign that the catalogue declares, or is 0.
    pub(crate) sign_as_declared: bool,
    /// Of the feature before scaling: optimal bins of whichever trend fits, their counts weighted.
    pub(crate) bins: Binning,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FactorError {
    #[error("the inflation of variance cannot be worked out")]
    Inflation(#[source] VifError),
    #[error("feature {feature} cannot be binned")]
    Bins {
        feature: String,
        #[source]
        source: BinningError,
    },
}

impl FactorError {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Inflation(error) => error.reason(),
            Self::Bins { source, .. } => source.reason(),
        }
    }
}

/// The sign of a coefficient of bad: more of what is better makes bad less likely.
pub(crate) fn declared_sign(spec: &FeatureSpec) -> SignBound {
    match spec.direction {
        Direction::HigherIsBetter => SignBound::NonPositive,
        Direction::LowerIsBetter => SignBound::NonNegative,
    }
}

/// Whether a coefficient has the sign that the catalogue declares for its feature.
pub(crate) fn sign_as_declared(feature: &str, coefficient: f64) -> bool {
    feature_index(feature).is_some_and(|index| declared_sign(&FEATURES[index]).allows(coefficient))
}

/// One report per factor of the card. `sample` is the rows at `train`, `factors` its matrix, `coefficients` the fit's.
pub(crate) fn reports(
    card: &Scorecard,
    rows: &[LabelledRow],
    train: &[usize],
    sample: &Sample,
    factors: Matrix<'_>,
    coefficients: &[f64],
) -> Result<Vec<FactorReport>, FactorError> {
    let inflation = vif(factors, Some(&sample.weights)).map_err(FactorError::Inflation)?;
    let names: Vec<&str> = card.factors().iter().map(|f| f.feature.as_str()).collect();
    let columns: Vec<Vec<f64>> = names
        .iter()
        .filter_map(|name| feature_index(name))
        .map(|index| train.iter().map(|&row| rows[row].features[index]).collect())
        .collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    // Rows of one weight sort faster without it.
    let weights =
        (!sample.weights.iter().all(|weight| *weight == 1.0)).then_some(&sample.weights[..]);
    let options = BinningOptions::default();
    bin_columns(&columns, &sample.bad, weights, &options)
        .into_iter()
        .zip(names)
        .zip(inflation)
        .zip(coefficients)
        .map(|(((bins, feature), variance_inflation), coefficient)| {
            Ok(FactorReport {
                variance_inflation,
                sign_as_declared: sign_as_declared(feature, *coefficient),
                bins: bins.map_err(|source| FactorError::Bins {
                    feature: feature.to_owned(),
                    source,
                })?,
            })
        })
        .collect()
}
