//! What is kept of a population: for the score and each feature its deciles and the counts between them.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::DriftError;
use super::population::{Line, ScoredPopulation};
use crate::card::{CardError, Scorecard, ScoringContent};
use crate::catalogue::feature_index;
use crate::psi::{count_bins, decile_edges};

/// The name under which the raw score stands beside the features.
pub const SCORE_LINE: &str = "score";

/// The name under which the bands after the decision rules stand among the lines of a report.
pub const BAND_LINE: &str = "final_band";

/// A population scored by a card, small enough to be frozen with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopulationBaseline {
    /// Parties; every line and the bands add up to it.
    pub rows: u64,
    /// The raw score.
    pub score: LineBaseline,
    /// Features, in catalogue order.
    pub features: Vec<LineBaseline>,
    /// Best first.
    pub bands: Vec<BandCount>,
}

/// The distribution of one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineBaseline {
    /// [`SCORE_LINE`] or the name of a feature.
    pub name: String,
    /// Deciles by linear interpolation, equal ones merged; bins are `(lo, hi]`, open at both ends.
    pub edges: Vec<f64>,
    /// One count per bin, one more than there are edges.
    pub counts: Vec<u64>,
    /// Parties without a value; no built-in feature has any.
    pub missing: u64,
}

/// How many parties a band holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandCount {
    pub band: String,
    pub parties: u64,
}

/// Why something written down is not the baseline of a population.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BaselineError {
    #[error("baseline has no parties: take it from a population that has")]
    Empty,
    #[error("baseline calls its score line {name:?}: the name is \"score\"")]
    ScoreName { name: String },
    #[error(
        "baseline has {name:?} twice, out of order or unknown: features stand in catalogue order, each once"
    )]
    Feature { name: String },
    #[error("baseline line {name:?} has edges that do not ascend or are not finite")]
    Edges { name: String },
    #[error(
        "baseline line {name:?} does not have one count per bin that add up, with the missing, to its {rows} parties"
    )]
    Counts { name: String, rows: u64 },
    #[error("baseline bands do not add up to its {rows} parties, each band once")]
    Bands { rows: u64 },
}

impl BaselineError {
    /// Stable name for callers; never derived from the text.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Empty => "BASELINE_EMPTY",
            Self::ScoreName { .. } | Self::Feature { .. } => "BASELINE_LINES",
            Self::Edges { .. } => "BASELINE_EDGES",
            Self::Counts { .. } => "BASELINE_COUNTS",
            Self::Bands { .. } => "BASELINE_BANDS",
        }
    }
}

impl PopulationBaseline {
    /// Sorts every column once.
    pub fn of(population: &ScoredPopulation<'_>) -> Result<Self, DriftError> {
        let bands = population.check()?;
        let named = population.names.as_slice().iter().zip(bands);
        Ok(Self {
            rows: population.raws.len() as u64,
            score: LineBaseline::of(&population.score()),
            features: population
                .features()
                .par_iter()
                .map(LineBaseline::of)
                .collect(),
            bands: named
                .map(|(band, parties)| BandCount {
                    band: band.name.clone(),
                    parties,
                })
                .collect(),
        })
    }

    /// Whether this can be the baseline of some population: what is read back may be anything.
    pub fn check(&self) -> Result<(), BaselineError> {
        if self.rows == 0 {
            return Err(BaselineError::Empty);
        }
        let name = &self.score.name;
        if name != SCORE_LINE {
            return Err(BaselineError::ScoreName { name: name.clone() });
        }
        self.score.check(self.rows)?;
        let mut before = None;
        for line in &self.features {
            let index = feature_index(&line.name);
            if index <= before {
                return Err(BaselineError::Feature {
                    name: line.name.clone(),
                });
            }
            before = index;
            line.check(self.rows)?;
        }
        let twice = |(at, held): (usize, &BandCount)| {
            self.bands[..at].iter().any(|band| band.band == held.band)
        };
        let sum = checked_sum(self.bands.iter().map(|band| band.parties));
        if sum != Some(self.rows) || self.bands.iter().enumerate().any(twice) {
            return Err(BaselineError::Bands { rows: self.rows });
        }
        Ok(())
    }

    /// The card with this as its training population: another card, with another hash.
    pub fn freeze(self, card: &Scorecard) -> Result<Scorecard, CardError> {
        let content = ScoringContent {
            training_population: Some(self),
            ..card.content().clone()
        };
        Scorecard::new(card.version(), content, card.provenance().clone())
    }

    /// Parties of a band, 0 where the baseline knows none of that name.
    pub(super) fn band_count(&self, name: &str) -> u64 {
        let found = self.bands.iter().find(|band| band.band == name);
        found.map_or(0, |band| band.parties)
    }
}

impl LineBaseline {
    fn of(line: &Line<'_>) -> Self {
        let edges = if line.values.iter().any(|value| value.is_nan()) {
            let present = line.values.iter().filter(|value| !value.is_nan());
            decile_edges(&present.copied().collect::<Vec<_>>())
        } else {
            decile_edges(line.values)
        };
        let (counts, missing) = count_bins(line.values, &edges);
        Self {
            name: line.name.to_owned(),
            edges,
            counts,
            missing,
        }
    }

    fn check(&self, rows: u64) -> Result<(), BaselineError> {
        let ascending = self.edges.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || self.edges.iter().any(|edge| !edge.is_finite()) {
            return Err(BaselineError::Edges {
                name: self.name.clone(),
            });
        }
        let sum = checked_sum(self.counts.iter().copied().chain([self.missing]));
        if self.counts.len() != self.edges.len() + 1 || sum != Some(rows) {
            return Err(BaselineError::Counts {
                name: self.name.clone(),
                rows,
            });
        }
        Ok(())
    }
}

fn checked_sum(counts: impl IntoIterator<Item = u64>) -> Option<u64> {
    counts
        .into_iter()
        .try_fold(0u64, |sum, count| sum.checked_add(count))
}
