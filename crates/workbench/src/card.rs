//! A scorecard of any table: points per feature that add up to a score, and the link from that score to a PD.
//!
//! Whatever the scaling, `score = offset − factor·logit PD`. A model on weights of evidence becomes the domain's card of
//! bins. A model on values becomes a card of straight lines: feature j awards `−factor·a_j·(x − worst_j)`, 0 at the end
//! of its training range that is worst, so that `base points + Σ points = score`. Outside that range the lines go on.

mod export;
mod linear;
mod scores;

use std::path::Path;

use kycc_domain::binning::{PointScaling, WoeCard};
use kycc_domain::card::nearest_half_up;
use serde::Serialize;

use crate::error::WorkbenchError;
use crate::fit::{FitReport, Fitted};
use crate::output::refuse_input;

use export::Export;
pub use linear::{LinearCard, LinearFactor};
pub use scores::{ScoreBand, ScoreSummary};

/// A card with what it says about the rows it was made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardReport {
    pub card: Card,
    pub link: Link,
    pub scores: ScoreSummary,
    pub fit: FitReport,
    pub notices: Vec<String>,
}

/// `PD = 1/(1 + exp((score − offset)/factor))`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Link {
    pub factor: f64,
    pub offset: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Card {
    Linear(LinearCard),
    Woe(WoeCard),
}

/// The score of one row and the parts it is the sum of.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    pub raw: f64,
    /// Rounded half up, once, by the rule of the built-in card.
    pub score: f64,
    pub pd: f64,
    pub points: Vec<f64>,
}

impl Card {
    /// Turns a fit into points.
    pub fn of(fitted: &Fitted<'_>, scaling: PointScaling) -> Result<Self, WorkbenchError> {
        check(scaling)?;
        match &fitted.design.bins {
            Some(bins) => WoeCard::new(bins.clone(), &fitted.model, scaling)
                .map(Self::Woe)
                .map_err(WorkbenchError::Card),
            None => LinearCard::of(fitted, scaling).map(Self::Linear),
        }
    }

    pub fn link(&self) -> Link {
        let (factor, offset) = match self {
            Self::Linear(card) => (card.factor, card.offset),
            Self::Woe(card) => (card.factor, card.offset),
        };
        Link { factor, offset }
    }

    pub fn base_points(&self) -> f64 {
        match self {
            Self::Linear(card) => card.base_points,
            Self::Woe(card) => card.base_points,
        }
    }

    /// Scores one row of the table that the card was made of.
    pub fn score(&self, fitted: &Fitted<'_>, row: usize) -> Scored {
        let points = match self {
            Self::Linear(card) => card.points(fitted.design.row(row)),
            Self::Woe(card) => {
                let columns = fitted.sample.columns.iter();
                let values: Vec<f64> = columns.map(|column| column[row]).collect();
                card.points(&values)
            }
        };
        let raw = self.base_points() + points.iter().sum::<f64>();
        Scored {
            raw,
            score: nearest_half_up(raw),
            pd: self.link().pd(raw),
            points,
        }
    }
}

impl Link {
    pub fn pd(&self, raw: f64) -> f64 {
        kycc_domain::logistic::sigmoid((self.offset - raw) / self.factor)
    }
}

/// Makes the card of a fit and scores every row; `out` gets their scores as CSV.
pub fn card(
    fitted: &Fitted<'_>,
    scaling: PointScaling,
    out: Option<&Path>,
) -> Result<CardReport, WorkbenchError> {
    let card = Card::of(fitted, scaling)?;
    if let (Some(out), Some(input)) = (out, fitted.sample.table.path()) {
        refuse_input(out, &[input])?;
    }
    let mut export = out.map(|path| Export::create(fitted, path)).transpose()?;
    let mut raw = Vec::with_capacity(fitted.pd.len());
    for row in 0..fitted.sample.table.rows() {
        let scored = card.score(fitted, row);
        if let Some(export) = &mut export {
            export.row(row, &scored)?;
        }
        raw.push(scored.raw);
    }
    if let Some(export) = export {
        export.finish()?;
    }
    let scores = ScoreSummary::of(fitted, &raw);
    let mut notices = fitted.report.notices.clone();
    if let Card::Linear(linear) = &card {
        let outside = fitted
            .sample
            .holdout
            .iter()
            .filter(|row| linear.is_outside(fitted.design.row(**row)))
            .count();
        if outside > 0 {
            notices.push(format!(
                "{outside} holdout rows have a value outside its training range; their points go on along the line"
            ));
        }
    }
    Ok(CardReport {
        link: card.link(),
        card,
        scores,
        fit: fitted.report.clone(),
        notices,
    })
}

fn check(scaling: PointScaling) -> Result<(), WorkbenchError> {
    let refuse = |what, must, got| Err(WorkbenchError::BadOption { what, must, got });
    match scaling {
        PointScaling::Pdo { pdo, .. } if !(pdo.is_finite() && pdo > 0.0) => {
            refuse("--pdo", "a number above 0", pdo)
        }
        PointScaling::Pdo { odds, .. } if !(odds.is_finite() && odds > 0.0) => {
            refuse("--odds", "a number of goods per bad above 0", odds)
        }
        PointScaling::Pdo { base, .. } | PointScaling::MinMax { base, .. } if !base.is_finite() => {
            refuse("--base", "a finite number", base)
        }
        PointScaling::MinMax { base, max } if !(max.is_finite() && max > base) => {
            refuse("--max", "above --base", max)
        }
        _ => Ok(()),
    }
}
