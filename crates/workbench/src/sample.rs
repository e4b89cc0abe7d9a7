//! Which column plays which part, and which rows train: from a table to outcomes, weights, features and a split.

mod features;
mod rows;
mod target;

use crate::error::WorkbenchError;
use crate::table::Table;

pub use rows::Holdout;
pub(crate) use target::outcomes;

/// The parts that columns play.
#[derive(Debug, Clone)]
pub struct Roles {
    /// 1 or true is bad.
    pub target: String,
    /// Empty: every column of numbers that plays no other part.
    pub features: Vec<String>,
    /// Read the table with [`Table::read_with_ids`]: read as numbers, ids lose leading zeros and far digits.
    pub id: Option<String>,
    pub weight: Option<String>,
    pub holdout: Option<Holdout>,
}

/// A table read in its roles. All vectors that have an entry per row have it for every row of the table.
#[derive(Debug, Clone)]
pub struct Sample<'a> {
    pub table: &'a Table,
    pub features: Vec<String>,
    /// The values of each feature; NaN is missing.
    pub columns: Vec<&'a [f64]>,
    pub bad: Vec<bool>,
    pub weights: Option<Vec<f64>>,
    pub id: Option<String>,
    /// Row indices, rising; `holdout` is empty without a rule.
    pub train: Vec<usize>,
    pub holdout: Vec<usize>,
    pub notices: Vec<String>,
}

impl<'a> Sample<'a> {
    /// Finds the columns and checks the outcomes, the weights and that both classes are in either part.
    pub fn of(table: &'a Table, roles: &Roles) -> Result<Self, WorkbenchError> {
        let bad = outcomes(table, &roles.target)?;
        let weights = roles
            .weight
            .as_ref()
            .map(|name| rows::weights(table, name))
            .transpose()?;
        if let Some(id) = &roles.id {
            table.column(id)?;
        }
        let mut notices = table.notices().to_vec();
        let (features, columns) = features::choose(table, roles, &mut notices)?;
        let (train, holdout) = rows::split(table, roles.holdout.as_ref())?;
        if let Some(weights) = &weights {
            let left_out = weights.iter().filter(|w| **w == 0.0).count();
            if left_out > 0 {
                notices.push(format!("{left_out} rows of weight 0 train nothing"));
            }
            notices.push(
                "weights count in the fit and the bins; metrics count every row alike".into(),
            );
        }
        let sample = Self {
            table,
            features,
            columns,
            bad,
            weights,
            id: roles.id.clone(),
            train,
            holdout,
            notices,
        };
        sample.check_classes("training", &sample.train)?;
        if !sample.holdout.is_empty() {
            sample.check_classes("holdout", &sample.holdout)?;
        }
        Ok(sample)
    }

    fn check_classes(&self, part: &'static str, rows: &[usize]) -> Result<(), WorkbenchError> {
        let bads = rows.iter().filter(|row| self.bad[**row]).count();
        let goods = rows.len() - bads;
        if goods > 0 && bads > 0 {
            return Ok(());
        }
        Err(WorkbenchError::SingleClass {
            file: self.table.source().to_owned(),
            part,
            goods,
            bads,
        })
    }

    /// Outcomes of the rows named.
    pub fn bad_of(&self, rows: &[usize]) -> Vec<bool> {
        rows.iter().map(|row| self.bad[*row]).collect()
    }

    /// Weights of the training rows.
    pub fn train_weights(&self) -> Option<Vec<f64>> {
        let weights = self.weights.as_ref()?;
        Some(self.train.iter().map(|row| weights[*row]).collect())
    }

    /// The training rows that weigh anything, each with its weight; 1 where there are none.
    pub(crate) fn weighing(&self) -> impl Iterator<Item = (usize, f64)> {
        let weight = |row| self.weights.as_ref().map_or(1.0, |weights| weights[row]);
        let rows = self.train.iter().map(move |row| (*row, weight(*row)));
        rows.filter(|(_, weight)| *weight > 0.0)
    }

    /// The training values of a feature.
    pub fn train_column(&self, feature: usize) -> Vec<f64> {
        let column = self.columns[feature];
        self.train.iter().map(|row| column[*row]).collect()
    }
}
