//! Drift: how far a batch has moved from the population that a card was made on, or from any other batch.
//!
//! A population is kept as the counts in its own decile bins ([`PopulationBaseline`], some 7 KB); a batch is counted
//! into the same bins and compared by the population stability index (§6): PSI of the raw score and of the final
//! bands, CSI of every feature.

mod baseline;
mod population;
mod report;
mod words;

use thiserror::Error;

pub use baseline::{
    BAND_LINE, BandCount, BaselineError, LineBaseline, PopulationBaseline, SCORE_LINE,
};
pub use population::ScoredPopulation;
pub use report::{BandShare, DriftLine, DriftReport, drift};

/// Why two populations cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DriftError {
    #[error("the population has no parties: there is nothing to compare")]
    Empty,
    #[error("{line} has {got} values for {expected} parties: give one to each")]
    Length {
        line: &'static str,
        got: usize,
        expected: usize,
    },
    #[error(
        "value {row} of {line} is infinite: only finite values and NaN for a missing one can be counted"
    )]
    NotFinite { line: &'static str, row: usize },
    #[error("raw score {row} is missing: a party without a score belongs to no scored population")]
    MissingScore { row: usize },
    #[error("party {row} has band {band}, but there are {bands} bands")]
    Band {
        row: usize,
        band: usize,
        bands: usize,
    },
    #[error("the baseline is not one")]
    Baseline(#[from] BaselineError),
}

impl DriftError {
    /// Stable name for callers; never derived from the text.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Empty => "DRIFT_EMPTY",
            Self::Length { .. } => "DRIFT_LENGTH",
            Self::NotFinite { .. } => "DRIFT_NOT_FINITE",
            Self::MissingScore { .. } => "DRIFT_MISSING_SCORE",
            Self::Band { .. } => "DRIFT_BAND",
            Self::Baseline(error) => error.reason(),
        }
    }
}

#[cfg(test)]
mod tests;
