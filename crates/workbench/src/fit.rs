//! The logistic fit of a table: every number that another program would need to compute the same PD, and how good it is.

mod coefficients;
mod notices;
mod signs;

use kycc_domain::logistic::{
    self, ClassWeights, FitOptions, LogisticError, LogisticFit, Penalty, RawModel, SignBound,
};
use kycc_domain::matrix::Matrix;
use kycc_domain::vif::vif;
use serde::Serialize;

use crate::design::{Design, Inputs};
use crate::error::WorkbenchError;
use crate::measures::{MeasureOptions, Measures, measure};
use crate::printable::listed;
use crate::sample::{Roles, Sample};
use crate::table::Table;

pub use coefficients::{Coefficient, Intercept};
pub use signs::Signs;

/// What to fit and how. `Default` is the plain ridge with C = 1 on the values.
#[derive(Debug, Clone, PartialEq)]
pub struct FitWish {
    pub c: f64,
    /// Without one the fit is plain maximum likelihood, and `c` is not used.
    pub penalty: Penalty,
    /// Each class gets half of the weight in the fit; the intercept is put right afterwards.
    pub balanced: bool,
    pub signs: Signs,
    pub inputs: Inputs,
    pub measures: MeasureOptions,
}

impl Default for FitWish {
    fn default() -> Self {
        Self {
            c: 1.0,
            penalty: Penalty::L2,
            balanced: false,
            signs: Signs::default(),
            inputs: Inputs::default(),
            measures: MeasureOptions::default(),
        }
    }
}

/// The answer to a [`FitWish`], for people and programs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FitReport {
    pub file: String,
    pub target: String,
    pub rows: usize,
    pub penalty: Penalty,
    /// Absent without a penalty.
    pub c: Option<f64>,
    pub class_weight: &'static str,
    /// What the coefficients multiply: `values` or `woe`.
    pub inputs: &'static str,
    pub intercept: Intercept,
    pub coefficients: Vec<Coefficient>,
    pub iterations: usize,
    /// `‖gradient‖∞` at the solution.
    pub gradient_norm: f64,
    pub train: Measures,
    pub holdout: Option<Measures>,
    pub notices: Vec<String>,
}

/// A fitted table with everything that cards and pages are made of.
#[derive(Debug, Clone)]
pub struct Fitted<'a> {
    pub sample: Sample<'a>,
    pub design: Design,
    pub fit: LogisticFit,
    /// The model per unit of the design.
    pub model: RawModel,
    /// Probability of bad of every row.
    pub pd: Vec<f64>,
    pub report: FitReport,
}

/// Fits `roles.target` on the training rows of a table and measures it on all.
pub fn fit<'a>(
    table: &'a Table,
    roles: &Roles,
    wish: &FitWish,
) -> Result<Fitted<'a>, WorkbenchError> {
    let sample = Sample::of(table, roles)?;
    if matches!(wish.inputs, Inputs::Woe(_)) && wish.signs == Signs::NonNegative {
        return Err(WorkbenchError::WoeNonNegative);
    }
    let signs = wish.signs.bounds(&sample.features)?;
    let design = Design::of(&sample, &wish.inputs)?;
    let failed = |cause| refused(&sample, cause);
    let rows = design.rows(&sample.train);
    let matrix = Matrix::new(&rows, design.columns).map_err(|cause| failed(cause.into()))?;
    let bad = sample.bad_of(&sample.train);
    let weights = sample.train_weights();
    let options = options(wish, signs.clone());
    let fit = logistic::fit(matrix, &bad, weights.as_deref(), &options).map_err(failed)?;
    // The fit has checked the same weights.
    let vif = vif(matrix, weights.as_deref()).map_err(WorkbenchError::Vif)?;
    if !fit.converged {
        return Err(WorkbenchError::NotConverged {
            iterations: fit.iterations,
            gradient: fit.gradient_norm,
        });
    }
    drop(rows);
    let model = fit.raw_model();
    let pd: Vec<f64> = (0..table.rows()).map(|i| model.pd(design.row(i))).collect();
    let of = |rows: &[usize]| -> Result<Measures, WorkbenchError> {
        let pd: Vec<f64> = rows.iter().map(|row| pd[*row]).collect();
        measure(table.source(), &pd, &sample.bad_of(rows), &wish.measures)
    };
    let (intercept, coefficients) =
        coefficients::of(&sample.features, &design, &fit, &model, &signs, &vif);
    let report = FitReport {
        file: table.source().to_owned(),
        target: roles.target.clone(),
        rows: table.rows(),
        penalty: wish.penalty,
        c: (wish.penalty == Penalty::L2).then_some(wish.c),
        class_weight: if wish.balanced { "balanced" } else { "none" },
        inputs: if design.bins.is_some() {
            "woe"
        } else {
            "values"
        },
        intercept,
        iterations: fit.iterations,
        gradient_norm: fit.gradient_norm,
        train: of(&sample.train)?,
        holdout: (!sample.holdout.is_empty())
            .then(|| of(&sample.holdout))
            .transpose()?,
        notices: notices::of(&sample, &pd, &coefficients),
        coefficients,
    };
    Ok(Fitted {
        sample,
        design,
        fit,
        model,
        pd,
        report,
    })
}

fn options(wish: &FitWish, signs: Vec<SignBound>) -> FitOptions {
    FitOptions {
        penalty: wish.penalty,
        c: wish.c,
        signs,
        class_weights: if wish.balanced {
            ClassWeights::Balanced
        } else {
            ClassWeights::Off
        },
        ..FitOptions::default()
    }
}

/// Columns by their names, not by their numbers.
fn refused(sample: &Sample<'_>, cause: LogisticError) -> WorkbenchError {
    let file = sample.table.source().to_owned();
    match cause {
        LogisticError::Collinear { columns } => {
            let names = columns.iter().filter_map(|j| sample.features.get(*j));
            WorkbenchError::Collinear {
                file,
                features: listed(names.map(String::as_str)),
            }
        }
        LogisticError::Overflow { column } => WorkbenchError::Overflow {
            file,
            feature: sample.features.get(column).cloned().unwrap_or_default(),
        },
        cause => WorkbenchError::Fit { file, cause },
    }
}
