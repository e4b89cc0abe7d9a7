//! Weight of evidence, information value and optimal binning of one numeric column against good and bad.
//!
//! `WoE = ln(%good/%bad)` and `IV = Σ (%good − %bad)·WoE` over the bins `[low, high)`, missing and special values apart
//! (scoring specification, part 5; Siddiqi, "Credit Risk Scorecards", 2006). Cuts come from an exact dynamic programme.

mod column;
mod columns;
mod error;
mod evidence;
mod moves;
mod optimal;
mod prebins;
mod segments;
mod woe_card;

use serde::{Deserialize, Serialize};

pub use columns::bin_columns;
pub use error::BinningError;
pub use optimal::{bins_at, optimal_bins, optimal_bins_among};
pub use woe_card::{
    FactorPoints, NamedBinning, PointScaling, WoeCard, WoeCardError, WoeFactor, fit_woe_card,
    woe_rows,
};

/// An information value above this is more than a factor known before the outcome usually has: look for leakage.
pub const LEAKAGE_IV: f64 = 0.5;

/// The most pre-bins that may be asked for; the search takes time with their cube.
pub const MAX_PREBINS: usize = 1000;

/// How the bad rate runs over rising values. All are strict: neighbouring bins never share a bad rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// As asked: any. As found: none of the others, a single bin included.
    None,
    Ascending,
    Descending,
    /// Whichever of ascending and descending has the greater information value, unless a peak or a valley beats it by
    /// more than chance. Only asked for, never found.
    #[default]
    Auto,
    /// Up, then down. As asked it includes ascending and descending, whose peak is at an end.
    Peak,
    /// Down, then up; as asked it includes ascending and descending.
    Valley,
}

/// How to choose cuts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BinningOptions {
    pub trend: Trend,
    /// Least share of all rows (of their weight, missing and special ones included) in a bin, 0 to 0.5.
    pub min_share: f64,
    /// Most pre-bins of about equal weight among whose edges the cuts are chosen, 2 to [`MAX_PREBINS`].
    pub max_prebins: usize,
    /// Most bins, missing and special ones not counted.
    pub max_bins: Option<usize>,
    /// Move the cuts off the edges of pre-bins, to the rows where they gain most; the rules still hold.
    pub refine: bool,
    /// Values that mean something else than their size, such as −1 for "never": each gets a bin of its own.
    pub special: Vec<f64>,
}

impl Default for BinningOptions {
    fn default() -> Self {
        Self {
            trend: Trend::default(),
            min_share: 0.05,
            max_prebins: 50,
            max_bins: None,
            refine: true,
            special: Vec::new(),
        }
    }
}

/// One bin `[low, high)`, open to infinity where a bound is absent. Missing and special bins have neither bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Rows of positive weight.
    pub rows: u64,
    /// Weight of the good rows: their number where rows have no weights.
    pub goods: f64,
    pub bads: f64,
    /// Share of the weight of all rows.
    pub share: f64,
    /// `bads/(goods + bads)`; 0 for a bin without rows.
    pub bad_rate: f64,
    /// `ln(%good/%bad)`. A bin with one empty cell adds 0.5 to both its counts; a bin without rows knows nothing: 0.
    pub woe: f64,
    /// `(%good − %bad)·woe`, never negative.
    pub iv: f64,
}

/// The bin of one special value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpecialBin {
    pub value: f64,
    pub bin: Bin,
}

/// A binned column. The bins cover the whole line in rising order; there is always at least one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Binning {
    pub bins: Vec<Bin>,
    /// The NaN rows; absent when there are none.
    pub missing: Option<Bin>,
    /// In the order asked for, those without rows included.
    pub special: Vec<SpecialBin>,
    /// Sum over all bins, missing and special ones included.
    pub information_value: f64,
    /// The trend of `bins`, read off their bad rates.
    pub trend: Trend,
}

/// Where a value belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Missing,
    Special(usize),
    Bin(usize),
}

impl Binning {
    /// The inner edges, rising: a value equal to a cut belongs to the bin above it.
    pub fn cuts(&self) -> Vec<f64> {
        self.bins.iter().filter_map(|bin| bin.low).collect()
    }

    /// Weight of evidence of a value; 0, which is no evidence, for a missing one when none was missing before.
    pub fn woe(&self, x: f64) -> f64 {
        match self.place(x) {
            Place::Missing => self.missing.as_ref().map_or(0.0, |bin| bin.woe),
            Place::Special(at) => self.special[at].bin.woe,
            Place::Bin(at) => self.bins[at].woe,
        }
    }

    pub fn warns_of_leakage(&self) -> bool {
        self.information_value > LEAKAGE_IV
    }

    pub(crate) fn place(&self, x: f64) -> Place {
        if x.is_nan() {
            return Place::Missing;
        }
        if let Some(at) = self.special.iter().position(|special| special.value == x) {
            return Place::Special(at);
        }
        let above = self.bins.get(1..).unwrap_or_default();
        Place::Bin(above.partition_point(|bin| bin.low.is_some_and(|low| low <= x)))
    }
}

#[cfg(test)]
mod tests;
