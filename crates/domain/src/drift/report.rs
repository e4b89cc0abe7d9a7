//! A batch held against a baseline.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::baseline::{LineBaseline, PopulationBaseline};
use super::population::ScoredPopulation;
use super::{DriftError, words};
use crate::catalogue::feature_index;
use crate::psi::{Shift, count_bins, psi_of_counts};

/// How far a batch has moved. Blocks nothing; it is shown and counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    pub baseline_rows: u64,
    pub rows: u64,
    /// The worst of all lines.
    pub status: Shift,
    /// The raw score: its index is the PSI.
    pub score: DriftLine,
    /// The features of the baseline, in catalogue order: their indices are CSIs.
    pub features: Vec<DriftLine>,
    /// The batch's bands, best first; bands that only the baseline has follow.
    pub bands: Vec<BandShare>,
    /// What a person should read, the worst first; never empty.
    pub sentences: Vec<String>,
}

/// One line of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftLine {
    pub name: String,
    /// `Σ (a−e) ln(a/e)` over the cells.
    pub index: f64,
    /// What the index exceeds by chance alone once in twenty when nothing has moved.
    pub no_shift_bound: f64,
    /// Warns from 0.10, fails from 0.25, each only beyond the bound.
    pub status: Shift,
    /// Inner edges of the bins `(lo, hi]`.
    pub edges: Vec<f64>,
    /// Shares of all parties: one per bin, then the missing ones as a cell of their own if either side has any.
    pub expected: Vec<f64>,
    pub actual: Vec<f64>,
    pub baseline_missing_rate: f64,
    pub missing_rate: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BandShare {
    pub band: String,
    pub baseline: f64,
    pub share: f64,
}

/// Compares a batch with a baseline: counts every column against at most nine edges, in parallel over the columns.
///
/// Between two batches, take the baseline of the earlier one on the fly. Features that the baseline does not have are
/// not compared.
pub fn drift(
    baseline: &PopulationBaseline,
    population: &ScoredPopulation<'_>,
) -> Result<DriftReport, DriftError> {
    baseline.check()?;
    let bands = population.check()?;
    let lines: Vec<(&LineBaseline, &[f64])> = std::iter::once((&baseline.score, population.raws))
        .chain(baseline.features.iter().filter_map(|line| {
            let index = feature_index(&line.name)?;
            Some((line, population.columns[index]))
        }))
        .collect();
    let mut compared = lines
        .par_iter()
        .map(|(line, values)| compare(line, values))
        .collect::<Result<Vec<_>, _>>()?;
    let features = compared.split_off(1);
    let score = compared.pop().ok_or(DriftError::Empty)?;
    let worst = features.iter().map(|line| line.status).max();
    let mut report = DriftReport {
        baseline_rows: baseline.rows,
        rows: population.raws.len() as u64,
        status: worst.map_or(score.status, |worst| worst.max(score.status)),
        score,
        features,
        bands: band_shares(baseline, population, &bands),
        sentences: Vec::new(),
    };
    report.sentences = words::sentences(&report);
    Ok(report)
}

impl DriftReport {
    /// The score, then the features.
    pub fn lines(&self) -> impl Iterator<Item = &DriftLine> {
        std::iter::once(&self.score).chain(&self.features)
    }
}

fn compare(line: &LineBaseline, values: &[f64]) -> Result<DriftLine, DriftError> {
    let (mut actual, missing) = count_bins(values, &line.edges);
    let mut expected = line.counts.clone();
    if missing + line.missing > 0 {
        expected.push(line.missing);
        actual.push(missing);
    }
    let rows = values.len() as f64;
    let expected_rows: u64 = expected.iter().sum();
    let index = psi_of_counts(&line.edges, &expected, &actual).ok_or(DriftError::Empty)?;
    Ok(DriftLine {
        name: line.name.clone(),
        index: index.value,
        no_shift_bound: index.no_shift_bound,
        status: index.shift(),
        edges: index.edges,
        expected: index.expected,
        actual: index.actual,
        baseline_missing_rate: line.missing as f64 / expected_rows as f64,
        missing_rate: missing as f64 / rows,
    })
}

fn band_shares(
    baseline: &PopulationBaseline,
    population: &ScoredPopulation<'_>,
    counts: &[u64],
) -> Vec<BandShare> {
    let rows = population.raws.len() as f64;
    let names = population.names.as_slice();
    let mut shares: Vec<BandShare> = names
        .iter()
        .zip(counts)
        .map(|(band, count)| BandShare {
            band: band.name.clone(),
            baseline: baseline.band_share(&band.name),
            share: *count as f64 / rows,
        })
        .collect();
    for band in &baseline.bands {
        if names.iter().all(|held| held.name != band.band) {
            shares.push(BandShare {
                band: band.band.clone(),
                baseline: baseline.band_share(&band.band),
                share: 0.0,
            });
        }
    }
    shares
}
