//! The bins of one column against good and bad: where the cuts lie, and what each bin says.

use std::str::FromStr;

use kycc_domain::binning::{
    Bin, Binning, BinningOptions, Trend, WoeFactor, bins_at, optimal_bins, optimal_bins_among,
};
use serde::Serialize;

use crate::error::WorkbenchError;
use crate::printable::printable;
use crate::sample::{Roles, Sample};
use crate::significant::{cut_names, exact};
use crate::table::Table;

/// How to find the cuts.
#[derive(Debug, Clone, PartialEq)]
pub enum Cuts {
    /// Of the greatest information value under the options' rules.
    Optimal(BinningOptions),
    /// The cuts as given.
    At(Vec<f64>),
    /// The best of the cuts given.
    Among(Vec<f64>, BinningOptions),
}

/// A trend as it is typed: asc, desc, auto, none, peak, valley.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypedTrend(pub Trend);

impl FromStr for TypedTrend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text {
            "asc" => Trend::Ascending,
            "desc" => Trend::Descending,
            "auto" => Trend::Auto,
            "none" => Trend::None,
            "peak" => Trend::Peak,
            "valley" => Trend::Valley,
            _ => {
                return Err(format!(
                    "{text:?} is not one of asc, desc, auto, none, peak, valley"
                ));
            }
        }))
    }
}

/// A binned column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BinReport {
    pub file: String,
    pub target: String,
    pub column: String,
    pub cuts: Vec<f64>,
    #[serde(flatten)]
    pub binning: Binning,
    pub leakage_suspected: bool,
    pub notices: Vec<String>,
}

/// Bins one column of all rows.
pub fn bin(
    table: &Table,
    target: &str,
    column: &str,
    weight: Option<String>,
    cuts: &Cuts,
) -> Result<BinReport, WorkbenchError> {
    let roles = Roles {
        target: target.to_owned(),
        features: vec![column.to_owned()],
        id: None,
        weight,
        holdout: None,
    };
    let sample = Sample::of(table, &roles)?;
    let (values, bad, weights) = (sample.columns[0], &sample.bad, sample.weights.as_deref());
    let binning = match cuts {
        Cuts::Optimal(options) => optimal_bins(values, bad, weights, options),
        Cuts::At(cuts) => bins_at(values, bad, weights, cuts, &[]),
        Cuts::Among(cuts, options) => optimal_bins_among(values, bad, weights, cuts, options),
    };
    let binning = binning.map_err(|cause| WorkbenchError::Bin {
        file: table.source().to_owned(),
        column: column.to_owned(),
        cause,
    })?;
    let mut notices = sample.notices;
    if binning.bins.len() == 1 {
        notices.push(format!(
            "no cut of {} keeps the rules, so all its values are one bin",
            printable(column)
        ));
    }
    Ok(BinReport {
        file: table.source().to_owned(),
        target: target.to_owned(),
        column: column.to_owned(),
        cuts: binning.cuts(),
        leakage_suspected: binning.warns_of_leakage(),
        binning,
        notices,
    })
}

/// Every bin of a binning with the name a person knows it by.
pub fn named_bins(binning: &Binning) -> Vec<(String, &Bin)> {
    let cuts = cut_names(&binning.cuts());
    let ranges = binning.bins.iter().enumerate();
    let ranges = ranges.map(|(at, bin)| (range(at, &cuts), bin));
    let special = binning
        .special
        .iter()
        .map(|special| (format!("= {}", exact(special.value)), &special.bin));
    let missing = binning.missing.iter().map(|bin| ("missing".into(), bin));
    ranges.chain(special).chain(missing).collect()
}

/// Points of a factor in the order of [`named_bins`]; those of a missing value come last, also where none was missing.
pub fn bin_points(factor: &WoeFactor) -> Vec<f64> {
    let points = &factor.points;
    let bins = points.bins.iter().chain(&points.special);
    bins.copied().chain([points.missing]).collect()
}

/// Bin `at` lies from the cut before it to the one after it.
fn range(at: usize, cuts: &[String]) -> String {
    let low = at.checked_sub(1).and_then(|below| cuts.get(below));
    match (low, cuts.get(at)) {
        (Some(low), Some(high)) => format!("[{low}, {high})"),
        (Some(low), None) => format!("≥ {low}"),
        (None, Some(high)) => format!("< {high}"),
        (None, None) => "all values".into(),
    }
}
