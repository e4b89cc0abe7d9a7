//! Ridge-penalised logistic regression of "bad" on standardised factors, by Newton's method.
//!
//! Minimises `Σ w_i log(1+exp(−y_i f_i)) + ‖b − κ b_E‖²/(2C)`, intercept free, optionally under sign bounds and with
//! the penalty drawn towards the expert card's weights. Results do not depend on the number of threads.

mod bounds;
mod expert;
mod fit;
mod newton;
mod one_dimensional;
mod pass;
mod search;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::matrix::MatrixError;
use crate::standardise::Standardiser;

pub use expert::shrinks_by_default;
pub use fit::fit;
pub use one_dimensional::{LineError, LogitLine, fit_line};
pub use search::{CSearch, DEFAULT_C_GRID, search_c};

/// Newton steps before a fit is called not converged; well-posed fits take under ten.
pub const MAX_ITERATIONS: usize = 100;

/// The gradient tolerance per row, of 100 rows at most: a fit stops at `‖grad‖∞ ≤ max(1e-9·min(n, 100), 1e-14·Σw)`. The
/// second is what rounding leaves, and the greater only from a total weight of 1e7 on.
pub const GRADIENT_TOLERANCE: f64 = 1e-9;

/// The sign a coefficient of "bad" may take. A factor declared "more is better" is `NonPositive` here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignBound {
    #[default]
    Free,
    NonNegative,
    NonPositive,
}

impl SignBound {
    /// Whether `value` is on the permitted side, zero included.
    pub fn allows(self, value: f64) -> bool {
        match self {
            Self::Free => true,
            Self::NonNegative => value >= 0.0,
            Self::NonPositive => value <= 0.0,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    #[default]
    Off,
    /// Each class gets half of the weight; afterwards the intercept is corrected by `ln(n1/n0)`, so that probabilities
    /// refer to the population again.
    Balanced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// `‖b − κ b_E‖²/(2C)`.
    #[default]
    L2,
    /// Plain maximum likelihood: C is not used. Data without a finite maximum is an error.
    None,
}

/// How to fit. `Default` is the plain ridge with C = 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitOptions {
    #[serde(default)]
    pub penalty: Penalty,
    pub c: f64,
    /// One per column, or empty for no bounds.
    pub signs: Vec<SignBound>,
    /// The expert card's weights `w_j`, one per column, to shrink towards; `None` shrinks towards 0.
    pub expert_weights: Option<Vec<f64>>,
    pub class_weights: ClassWeights,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            penalty: Penalty::L2,
            c: 1.0,
            signs: Vec::new(),
            expert_weights: None,
            class_weights: ClassWeights::Off,
        }
    }
}

/// A fitted model, as the registry keeps it. Coefficients are in the standardised space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogisticFit {
    pub standardiser: Standardiser,
    pub coefficients: Vec<f64>,
    pub intercept: f64,
    /// From the inverse of the penalised Hessian; `None` for a coefficient held at its bound or of a constant column.
    pub standard_errors: Vec<Option<f64>>,
    pub intercept_standard_error: Option<f64>,
    /// The multiple of the expert's weights that the penalty was centred on; `None` without shrinking to the expert.
    pub kappa: Option<Kappa>,
    #[serde(default)]
    pub penalty: Penalty,
    /// As asked for, also where the penalty is none.
    pub c: f64,
    pub iterations: usize,
    /// `‖grad‖∞` at the solution; under sign bounds, of the components the bounds leave free to descend.
    pub gradient_norm: f64,
    pub converged: bool,
}

/// κ of the shrink-to-expert penalty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Kappa {
    pub value: f64,
    /// The expert's own score separated the classes, so the unpenalised κ is infinite and a ridged one stands in.
    pub separable: bool,
}

/// The model in the card's own scaled factors: `logit PD = intercept + Σ slopes_j s_j`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RawModel {
    pub intercept: f64,
    pub slopes: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Error)]
pub enum LogisticError {
    #[error("factor values cannot be read")]
    Matrix(#[from] MatrixError),
    #[error("{what} has {got} entries where {expected} are needed")]
    Length {
        what: &'static str,
        got: usize,
        expected: usize,
    },
    #[error("C must be a positive finite number, not {c}")]
    BadC { c: f64 },
    #[error("the weight of row {row} is {weight}; weights must be finite and not negative")]
    BadWeight { row: usize, weight: f64 },
    #[error("the expert weight of column {column} is {weight}; it must be finite")]
    BadExpertWeight { column: usize, weight: f64 },
    #[error("only one class carries weight; a fit needs good and bad rows")]
    SingleClass,
    #[error("the Hessian lost positive definiteness at iteration {iteration}")]
    Singular { iteration: usize },
    #[error("the moments of column {column} overflow; rescale it or the weights")]
    Overflow { column: usize },
    #[error("the weights add up to more than the greatest float; rescale them")]
    WeightOverflow,
    #[error("{what} needs the l2 penalty")]
    NeedsPenalty { what: &'static str },
    #[error(
        "columns {columns:?} are linear combinations of each other, so their coefficients cannot be told apart; leave one out or use the l2 penalty"
    )]
    Collinear { columns: Vec<usize> },
    #[error(
        "the factors separate good rows from bad ones, so the unpenalised fit is infinite; use the l2 penalty"
    )]
    Separable,
}

impl LogisticError {
    /// Stable name of the error's kind.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Matrix(_) => "FACTORS_UNREADABLE",
            Self::Length { .. } => "FIT_LENGTH",
            Self::BadC { .. } => "FIT_BAD_C",
            Self::BadWeight { .. } => "FIT_BAD_WEIGHT",
            Self::BadExpertWeight { .. } => "FIT_BAD_EXPERT_WEIGHT",
            Self::SingleClass => "SINGLE_CLASS",
            Self::Singular { .. } => "FIT_SINGULAR",
            Self::Overflow { .. } => "FIT_OVERFLOW",
            Self::WeightOverflow => "FIT_WEIGHT_OVERFLOW",
            Self::NeedsPenalty { .. } => "FIT_NEEDS_PENALTY",
            Self::Collinear { .. } => "FIT_COLLINEAR",
            Self::Separable => "FIT_SEPARABLE",
        }
    }
}

impl LogisticFit {
    /// `a_j = b_j/sd_j`, `a0 = b0 − Σ b_j μ_j/sd_j`; the slope of a constant column is 0.
    pub fn raw_model(&self) -> RawModel {
        let slopes: Vec<f64> = self
            .coefficients
            .iter()
            .zip(self.standardiser.inverse_sd())
            .map(|(b, inverse)| b * inverse)
            .collect();
        let shift: f64 = slopes
            .iter()
            .zip(&self.standardiser.mean)
            .map(|(a, mean)| a * mean)
            .sum();
        RawModel {
            intercept: self.intercept - shift,
            slopes,
        }
    }
}

impl RawModel {
    pub fn logit(&self, factors: &[f64]) -> f64 {
        let sum: f64 = self.slopes.iter().zip(factors).map(|(a, s)| a * s).sum();
        self.intercept + sum
    }

    /// Probability of bad.
    pub fn pd(&self, factors: &[f64]) -> f64 {
        sigmoid(self.logit(factors))
    }
}

/// `1/(1+exp(−x))` without overflow on either side.
pub fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x >= 0.0 {
        1.0 / (1.0 + e)
    } else {
        e / (1.0 + e)
    }
}

#[cfg(test)]
mod tests;
