//! A batch held against a baseline.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::baseline::{BAND_LINE, LineBaseline, PopulationBaseline};
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
    /// The bands after the decision rules, one cell for each of `bands`: rules move them where no score moves.
    pub final_bands: DriftLine,
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
    /// Inner edges of the bins `(lo, hi]`; none for the final bands, whose cells have names.
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
    let bands = band_cells(baseline, population, &bands);
    let final_bands = compare_bands(&bands)?;
    let worst = features.iter().map(|line| line.status).max();
    let without_features = score.status.max(final_bands.status);
    let mut report = DriftReport {
        baseline_rows: baseline.rows,
        rows: population.raws.len() as u64,
        status: worst.map_or(without_features, |worst| worst.max(without_features)),
        score,
        features,
        bands: band_shares(&bands, &final_bands),
        final_bands,
        sentences: Vec::new(),
    };
    report.sentences = words::sentences(&report);
    Ok(report)
}

impl DriftReport {
    /// The score, then the features, then the final bands.
    pub fn lines(&self) -> impl Iterator<Item = &DriftLine> {
        std::iter::once(&self.score)
            .chain(&self.features)
            .chain([&self.final_bands])
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

/// A band and how many parties of the baseline and of the batch are in it.
struct BandCell<'a> {
    band: &'a str,
    expected: u64,
    actual: u64,
}

/// Bands are compared by name: those of the batch, then those that only the baseline has.
fn band_cells<'a>(
    baseline: &'a PopulationBaseline,
    population: &ScoredPopulation<'a>,
    counts: &[u64],
) -> Vec<BandCell<'a>> {
    let names = population.names.as_slice();
    let own = names.iter().zip(counts).map(|(band, &actual)| BandCell {
        band: &band.name,
        expected: baseline.band_count(&band.name),
        actual,
    });
    let gone = baseline
        .bands
        .iter()
        .filter(|band| names.iter().all(|held| held.name != band.band));
    own.chain(gone.map(|band| BandCell {
        band: &band.band,
        expected: band.parties,
        actual: 0,
    }))
    .collect()
}

fn compare_bands(cells: &[BandCell<'_>]) -> Result<DriftLine, DriftError> {
    let expected: Vec<u64> = cells.iter().map(|cell| cell.expected).collect();
    let actual: Vec<u64> = cells.iter().map(|cell| cell.actual).collect();
    let index = psi_of_counts(&[], &expected, &actual).ok_or(DriftError::Empty)?;
    Ok(DriftLine {
        name: BAND_LINE.to_owned(),
        index: index.value,
        no_shift_bound: index.no_shift_bound,
        status: index.shift(),
        edges: index.edges,
        expected: index.expected,
        actual: index.actual,
        baseline_missing_rate: 0.0,
        missing_rate: 0.0,
    })
}

fn band_shares(cells: &[BandCell<'_>], line: &DriftLine) -> Vec<BandShare> {
    let shares = line.expected.iter().zip(&line.actual);
    cells
        .iter()
        .zip(shares)
        .map(|(cell, (&baseline, &share))| BandShare {
            band: cell.band.to_owned(),
            baseline,
            share,
        })
        .collect()
}
