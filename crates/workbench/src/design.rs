//! From features to the numbers that a model sees: the values themselves, missing ones filled in where that was asked
//! for, or the weight of evidence of each value's bin. Whatever is learned is learned on the training rows.

use std::borrow::Cow;

use kycc_domain::binning::{BinningOptions, NamedBinning, bin_columns, woe_rows};

use crate::error::WorkbenchError;
use crate::sample::Sample;
use crate::table::missing;

/// What stands in for a missing value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impute {
    Mean,
    Median,
}

/// What the model is fitted on.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Inputs {
    /// The values; a missing one is an error.
    #[default]
    Values,
    Imputed(Impute),
    /// Weights of evidence; missing values have a bin of their own.
    Woe(BinningOptions),
}

/// All rows of the table, one column per feature, row after row.
#[derive(Debug, Clone)]
pub struct Design {
    pub values: Vec<f64>,
    pub columns: usize,
    /// What stands in for a missing value of each feature, where one is missing.
    pub imputed: Vec<Option<f64>>,
    /// Where the design holds weights of evidence: the bins of each feature.
    pub bins: Option<Vec<NamedBinning>>,
}

impl Design {
    pub fn of(sample: &Sample<'_>, inputs: &Inputs) -> Result<Self, WorkbenchError> {
        let columns = sample.columns.len();
        let plain = |imputed: Vec<Option<f64>>| {
            let mut values = vec![0.0; sample.table.rows() * columns];
            for (j, column) in sample.columns.iter().enumerate() {
                for (i, &x) in column.iter().enumerate() {
                    values[i * columns + j] = match imputed[j] {
                        Some(fill) if x.is_nan() => fill,
                        _ => x,
                    };
                }
            }
            Self {
                values,
                columns,
                imputed,
                bins: None,
            }
        };
        match inputs {
            Inputs::Values => {
                refuse_missing(sample)?;
                Ok(plain(vec![None; columns]))
            }
            Inputs::Imputed(how) => Ok(plain(fills(sample, *how)?)),
            Inputs::Woe(options) => weights_of_evidence(sample, options),
        }
    }

    /// The rows named (rising), row after row; copied only where they are not all.
    pub fn rows(&self, rows: &[usize]) -> Cow<'_, [f64]> {
        if rows.len() * self.columns == self.values.len() {
            return Cow::Borrowed(&self.values);
        }
        let mut out = Vec::with_capacity(rows.len() * self.columns);
        for &row in rows {
            out.extend_from_slice(self.row(row));
        }
        Cow::Owned(out)
    }

    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }
}

fn refuse_missing(sample: &Sample<'_>) -> Result<(), WorkbenchError> {
    for (name, column) in sample.features.iter().zip(&sample.columns) {
        if let Some((row, count)) = missing(column) {
            return Err(WorkbenchError::MissingFeature {
                file: sample.table.source().to_owned(),
                column: name.clone(),
                count,
                place: sample.table.place(row),
            });
        }
    }
    Ok(())
}

fn fills(sample: &Sample<'_>, how: Impute) -> Result<Vec<Option<f64>>, WorkbenchError> {
    (0..sample.columns.len())
        .map(|j| {
            if missing(sample.columns[j]).is_none() {
                return Ok(None);
            }
            let mut known = sample.train_column(j);
            known.retain(|v| !v.is_nan());
            if known.is_empty() {
                return Err(WorkbenchError::EmptyFeature {
                    file: sample.table.source().to_owned(),
                    column: sample.features[j].clone(),
                });
            }
            Ok(Some(match how {
                Impute::Mean => known.iter().sum::<f64>() / known.len() as f64,
                Impute::Median => median(known),
            }))
        })
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        // Halved first, so that two large values do not overflow.
        values[middle - 1] / 2.0 + values[middle] / 2.0
    } else {
        values[middle]
    }
}

fn weights_of_evidence(
    sample: &Sample<'_>,
    options: &BinningOptions,
) -> Result<Design, WorkbenchError> {
    let train: Vec<Vec<f64>> = (0..sample.columns.len())
        .map(|j| sample.train_column(j))
        .collect();
    let borrowed: Vec<&[f64]> = train.iter().map(Vec::as_slice).collect();
    let bad = sample.bad_of(&sample.train);
    let weights = sample.train_weights();
    let bins = bin_columns(&borrowed, &bad, weights.as_deref(), options)
        .into_iter()
        .zip(&sample.features)
        .map(|(binning, name)| match binning {
            Ok(binning) => Ok(NamedBinning {
                name: name.clone(),
                binning,
            }),
            Err(cause) => Err(WorkbenchError::Bin {
                file: sample.table.source().to_owned(),
                column: name.clone(),
                cause,
            }),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let values = woe_rows(&bins, &sample.columns).map_err(WorkbenchError::Card)?;
    Ok(Design {
        values,
        columns: sample.columns.len(),
        imputed: vec![None; sample.columns.len()],
        bins: Some(bins),
    })
}
