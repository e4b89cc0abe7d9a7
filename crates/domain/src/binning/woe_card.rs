//! The classic scorecard of any data: a logistic model on weights of evidence, spread over the bins as points.
//!
//! `ln(odds good:bad) = −(b0 + Σ a_j·WoE_j)` and `score = offset + factor·ln(odds)`, whichever the scaling (Siddiqi,
//! "Credit Risk Scorecards", 2006); the scalings differ in where factor and offset come from and in the zero of points.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Binning, Place};
use crate::logistic::{self, FitOptions, LogisticError, LogisticFit, RawModel, sigmoid};
use crate::matrix::{Matrix, MatrixError};

/// From log-odds to points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PointScaling {
    /// `base` points at odds of `odds` good to one bad, and `pdo` more each time the odds double:
    /// `factor = pdo/ln 2`, `offset = base − factor·ln(odds)`.
    Pdo { base: f64, odds: f64, pdo: f64 },
    /// The worst bins together score `base`, the best ones `max`; a factor's points start at 0.
    MinMax { base: f64, max: f64 },
}

/// A column's name and bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedBinning {
    pub name: String,
    pub binning: Binning,
}

/// Points of one factor, in the order of its bins and special values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactorPoints {
    pub bins: Vec<f64>,
    /// Also what a missing value gets when none was missing in the data of the fit: those of no evidence.
    pub missing: f64,
    pub special: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WoeFactor {
    pub name: String,
    pub binning: Binning,
    /// Of the logit of bad per unit of WoE; negative where more evidence of good means less risk, as it should.
    pub coefficient: f64,
    pub points: FactorPoints,
}

/// A scorecard as data: `score = base_points + Σ points = offset + factor·ln(odds good:bad)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WoeCard {
    pub scaling: PointScaling,
    pub intercept: f64,
    pub factors: Vec<WoeFactor>,
    /// 0 under PDO, whose points carry the offset in equal parts; `base` under min-max.
    pub base_points: f64,
    pub factor: f64,
    pub offset: f64,
}

#[derive(Debug, Clone, PartialEq, Error)]
pub enum WoeCardError {
    #[error("there are {got} {what} where {expected} are needed")]
    Length {
        what: &'static str,
        got: usize,
        expected: usize,
    },
    #[error("the weights of evidence cannot be read as a matrix")]
    Matrix(#[from] MatrixError),
    #[error("the model cannot be fitted on the weights of evidence")]
    Fit(#[from] LogisticError),
    #[error(
        "the scaling needs finite numbers, positive odds and points to double the odds, and max above base"
    )]
    BadScaling,
    #[error("no factor tells good from bad, so there is no range to spread points over")]
    Degenerate,
    #[error("the model has a coefficient that is not finite")]
    BadModel,
}

impl WoeCardError {
    /// A stable name for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Length { .. } => "LENGTH_MISMATCH",
            Self::Matrix(_) => "BAD_MATRIX",
            Self::Fit(_) => "FIT_FAILED",
            Self::BadScaling => "BAD_SCALING",
            Self::Degenerate => "DEGENERATE_CARD",
            Self::BadModel => "BAD_MODEL",
        }
    }
}

/// The weights of evidence of all rows, row after row. `columns` are the values of each binning's column.
pub fn woe_rows(binned: &[NamedBinning], columns: &[&[f64]]) -> Result<Vec<f64>, WoeCardError> {
    length("columns", columns.len(), binned.len())?;
    let rows = columns.first().map_or(0, |column| column.len());
    for column in columns {
        length("values in a column", column.len(), rows)?;
    }
    let mut out = vec![0.0; rows * columns.len()];
    for (j, (named, column)) in binned.iter().zip(columns).enumerate() {
        for (i, &x) in column.iter().enumerate() {
            out[i * columns.len() + j] = named.binning.woe(x);
        }
    }
    Ok(out)
}

/// Fits `bad` on the weights of evidence and writes the card; `options.signs` bounds the coefficients of WoE.
pub fn fit_woe_card(
    binned: Vec<NamedBinning>,
    columns: &[&[f64]],
    bad: &[bool],
    weights: Option<&[f64]>,
    options: &FitOptions,
    scaling: PointScaling,
) -> Result<(WoeCard, LogisticFit), WoeCardError> {
    let rows = woe_rows(&binned, columns)?;
    let fit = logistic::fit(Matrix::new(&rows, binned.len())?, bad, weights, options)?;
    let card = WoeCard::new(binned, &fit.raw_model(), scaling)?;
    Ok((card, fit))
}

impl WoeCard {
    /// Writes a model on weights of evidence, one slope per binning, as points.
    pub fn new(
        binned: Vec<NamedBinning>,
        model: &RawModel,
        scaling: PointScaling,
    ) -> Result<Self, WoeCardError> {
        if binned.is_empty() {
            return Err(MatrixError::NoColumns.into());
        }
        length("coefficients", model.slopes.len(), binned.len())?;
        if !model.intercept.is_finite() || model.slopes.iter().any(|a| !a.is_finite()) {
            return Err(WoeCardError::BadModel);
        }
        let (mut least, mut range) = (Vec::with_capacity(binned.len()), 0.0);
        for (named, slope) in binned.iter().zip(&model.slopes) {
            let (low, high) = goodness_range(&named.binning, *slope);
            least.push(low);
            range += high - low;
        }
        let (factor, offset) = match scaling {
            PointScaling::Pdo { base, odds, pdo } => {
                let factor = pdo / std::f64::consts::LN_2;
                (factor, base - factor * odds.ln())
            }
            PointScaling::MinMax { .. } if range <= 0.0 => return Err(WoeCardError::Degenerate),
            PointScaling::MinMax { base, max } => {
                let factor = (max - base) / range;
                let worst: f64 = least.iter().sum();
                (factor, base + factor * (model.intercept - worst))
            }
        };
        let usable = factor.is_finite() && factor > 0.0 && offset.is_finite();
        if !usable || !scaling.is_valid() {
            return Err(WoeCardError::BadScaling);
        }
        let part = (offset - factor * model.intercept) / binned.len() as f64;
        let factors = binned
            .into_iter()
            .zip(&model.slopes)
            .zip(least)
            .map(|((named, &slope), least)| {
                WoeFactor::new(named, slope, |woe| match scaling {
                    PointScaling::Pdo { .. } => part - factor * slope * woe,
                    PointScaling::MinMax { .. } => factor * (-slope * woe - least),
                })
            })
            .collect();
        Ok(Self {
            scaling,
            intercept: model.intercept,
            factors,
            base_points: match scaling {
                PointScaling::Pdo { .. } => 0.0,
                PointScaling::MinMax { base, .. } => base,
            },
            factor,
            offset,
        })
    }

    /// Points of each factor.
    ///
    /// # Panics
    /// Unless there is one value per factor.
    pub fn points(&self, row: &[f64]) -> Vec<f64> {
        self.each_points(row).collect()
    }

    /// `base_points` plus the points of one value per factor.
    ///
    /// # Panics
    /// Unless there is one value per factor.
    pub fn score(&self, row: &[f64]) -> f64 {
        self.base_points + self.each_points(row).sum::<f64>()
    }

    /// Probability of bad at a score.
    pub fn pd(&self, score: f64) -> f64 {
        sigmoid((self.offset - score) / self.factor)
    }

    fn each_points(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        assert_eq!(row.len(), self.factors.len(), "one value per factor");
        self.factors.iter().zip(row).map(|(f, x)| f.points_of(*x))
    }
}

impl WoeFactor {
    fn new(named: NamedBinning, coefficient: f64, points: impl Fn(f64) -> f64) -> Self {
        let NamedBinning { name, binning } = named;
        let points = FactorPoints {
            bins: binning.bins.iter().map(|bin| points(bin.woe)).collect(),
            missing: points(binning.woe(f64::NAN)),
            special: binning.special.iter().map(|s| points(s.bin.woe)).collect(),
        };
        Self {
            name,
            binning,
            coefficient,
            points,
        }
    }

    fn points_of(&self, x: f64) -> f64 {
        match self.binning.place(x) {
            Place::Missing => self.points.missing,
            Place::Special(at) => self.points.special[at],
            Place::Bin(at) => self.points.bins[at],
        }
    }
}

impl PointScaling {
    fn is_valid(self) -> bool {
        match self {
            Self::Pdo { base, odds, pdo } => {
                base.is_finite() && odds.is_finite() && odds > 0.0 && pdo.is_finite() && pdo > 0.0
            }
            Self::MinMax { base, max } => base.is_finite() && max.is_finite() && max > base,
        }
    }
}

/// Least and greatest `−slope·WoE` that a value can have, a missing one included.
fn goodness_range(binning: &Binning, slope: f64) -> (f64, f64) {
    let bins = binning.bins.iter().map(|bin| bin.woe);
    let special = binning.special.iter().map(|special| special.bin.woe);
    bins.chain(special)
        .chain([binning.woe(f64::NAN)])
        .map(|woe| -slope * woe)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), g| {
            (low.min(g), high.max(g))
        })
}

fn length(what: &'static str, got: usize, expected: usize) -> Result<(), WoeCardError> {
    (got == expected).then_some(()).ok_or(WoeCardError::Length {
        what,
        got,
        expected,
    })
}
