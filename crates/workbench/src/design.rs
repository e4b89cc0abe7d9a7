//! From features to the numbers that a model sees: the values themselves, missing ones filled in where that was asked
//! for, or the weight of evidence of each value's bin. Whatever is learned is learned on the training rows.

use std::borrow::Cow;

use kycc_domain::binning::{BinningOptions, NamedBinning, bin_columns, woe_rows};

use crate::error::WorkbenchError;
use crate::sample::Sample;
use crate::table::missing;

/// What stands in for a missing value: of the training values, each counted as often as its row weighs.
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
            let column = sample.columns[j];
            let known = sample.weighing().map(|(row, weight)| (column[row], weight));
            let known: Vec<(f64, f64)> = known.filter(|(value, _)| !value.is_nan()).collect();
            if known.is_empty() {
                return Err(WorkbenchError::EmptyFeature {
                    file: sample.table.source().to_owned(),
                    column: sample.features[j].clone(),
                });
            }
            Ok(Some(match how {
                Impute::Mean => mean(&scaled(known)),
                Impute::Median => median(scaled(known)),
            }))
        })
        .collect()
}

/// Values with weights of which the greatest is about 1, so that their sum is finite. Powers of two round nothing.
fn scaled(mut known: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let greatest = known.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
    let exponent = greatest.log2().floor().clamp(-1000.0, 1000.0) as i32;
    for (_, weight) in &mut known {
        *weight *= 2f64.powi(-exponent);
    }
    known
}

fn mean(known: &[(f64, f64)]) -> f64 {
    let total: f64 = known.iter().map(|(_, weight)| weight).sum();
    let sum: f64 = known.iter().map(|(value, weight)| value * weight).sum();
    sum / total
}

/// The value below and above which half of the weight lies; the middle of two where the halves meet between them.
fn median(mut known: Vec<(f64, f64)>) -> f64 {
    known.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let half = known.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let (mut below, mut at) = (0.0, 0);
    while at + 1 < known.len() && below + known[at].1 < half {
        below += known[at].1;
        at += 1;
    }
    match known.get(at + 1) {
        // Halved first, so that two large values do not overflow.
        Some((next, _)) if below + known[at].1 == half => known[at].0 / 2.0 + next / 2.0,
        _ => known[at].0,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Roles;
    use crate::table::Table;

    /// What stands in for the missing value of `x`; the last column weighs.
    fn fill(how: Impute, rows: &str) -> f64 {
        let text = format!("x,bad,w\n{rows}");
        let table = Table::from_csv(text.as_bytes(), "t.csv", None).unwrap();
        let roles = Roles {
            target: "bad".into(),
            features: vec!["x".into()],
            id: None,
            weight: Some("w".into()),
            holdout: None,
        };
        let sample = Sample::of(&table, &roles).unwrap();
        let design = Design::of(&sample, &Inputs::Imputed(how)).unwrap();
        design.imputed[0].unwrap()
    }

    #[test]
    fn weights_count_as_if_rows_were_repeated_and_rows_of_weight_0_do_not() {
        let weighted = "1,0,3\n5,1,1\n7,0,2\n9000,1,0\n,0,1\n";
        let repeated = "1,0,1\n1,0,1\n1,0,1\n5,1,1\n7,0,1\n7,0,1\n,0,1\n";
        for (how, wanted) in [(Impute::Mean, 22.0 / 6.0), (Impute::Median, 3.0)] {
            assert_eq!(fill(how, weighted), wanted);
            assert_eq!(fill(how, repeated), wanted);
        }
        assert_eq!(fill(Impute::Median, "1,0,1\n5,1,1\n7,0,2.5\n,0,9\n"), 7.0);
    }

    #[test]
    fn enormous_and_tiny_weights_do_not_spoil_what_stands_in() {
        for weight in ["1e308", "5e-324"] {
            let rows = format!("1,0,{weight}\n2,1,{weight}\n6,1,{weight}\n,0,{weight}\n");
            assert_eq!(fill(Impute::Mean, &rows), 3.0);
            assert_eq!(fill(Impute::Median, &rows), 2.0);
        }
    }
}
