//! A scored population, column by column, and the checks that make it countable.

use rayon::prelude::*;

use super::DriftError;
use super::baseline::SCORE_LINE;
use crate::bands::Bands;
use crate::catalogue::{FEATURE_COUNT, FEATURES};

/// The parties of one batch under one card; every slice has one entry per party, in one order.
#[derive(Debug, Clone, Copy)]
pub struct ScoredPopulation<'a> {
    /// One column per feature, in catalogue order; NaN is a missing value.
    pub columns: [&'a [f64]; FEATURE_COUNT],
    /// Raw scores; none may be missing.
    pub raws: &'a [f64],
    /// Position of each party's band (after the decision rules) in `names`.
    pub bands: &'a [usize],
    /// The card's bands, best first.
    pub names: &'a Bands,
}

/// One line of a comparison: the score, or a feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) name: &'static str,
    pub(super) values: &'a [f64],
}

impl<'a> ScoredPopulation<'a> {
    /// The raw score.
    pub(super) fn score(&self) -> Line<'a> {
        Line {
            name: SCORE_LINE,
            values: self.raws,
        }
    }

    /// The features, in catalogue order.
    pub(super) fn features(&self) -> Vec<Line<'a>> {
        let named = FEATURES.iter().zip(self.columns);
        named
            .map(|(spec, values)| Line {
                name: spec.name,
                values,
            })
            .collect()
    }

    /// Checks everything and counts the parties per band.
    pub(super) fn check(&self) -> Result<Vec<u64>, DriftError> {
        let expected = self.raws.len();
        if expected == 0 {
            return Err(DriftError::Empty);
        }
        let features = self.features();
        let lengths = features.iter().map(|line| (line.name, line.values.len()));
        for (line, got) in lengths.chain([("the bands", self.bands.len())]) {
            if got != expected {
                return Err(DriftError::Length {
                    line,
                    got,
                    expected,
                });
            }
        }
        if let Some(row) = self.raws.iter().position(|raw| raw.is_nan()) {
            return Err(DriftError::MissingScore { row });
        }
        let mut lines = vec![self.score()];
        lines.extend(features);
        let infinite: Vec<Option<usize>> = lines
            .par_iter()
            .map(|line| line.values.iter().position(|value| value.is_infinite()))
            .collect();
        for (line, found) in lines.iter().zip(infinite) {
            if let Some(row) = found {
                return Err(DriftError::NotFinite {
                    line: line.name,
                    row,
                });
            }
        }
        self.count_bands()
    }

    fn count_bands(&self) -> Result<Vec<u64>, DriftError> {
        let bands = self.names.as_slice().len();
        let mut counts = vec![0; bands];
        for (row, band) in self.bands.iter().enumerate() {
            match counts.get_mut(*band) {
                Some(count) => *count += 1,
                None => {
                    return Err(DriftError::Band {
                        row,
                        band: *band,
                        bands,
                    });
                }
            }
        }
        Ok(counts)
    }
}
