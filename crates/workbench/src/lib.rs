//! The scoring core on any CSV or Parquet file: a table in, an analysis out. No service, no lake, no data folder.
//!
//! [`Table::read`] takes a file, [`fit()`] fits it, [`card()`] writes the fit as points, [`page()`] as a page of HTML;
//! [`bin`], [`measure_scores`], [`compare_scores`] and [`stability()`] need no fit. Same input, same bits, on any number
//! of threads.

mod bins;
mod card;
mod design;
mod error;
mod fit;
mod measures;
mod output;
mod page;
mod printable;
mod sample;
mod scores;
mod significant;
mod stability;
mod table;

pub use bins::{BinReport, Cuts, TypedTrend, bin, bin_points, named_bins};
pub use card::{
    Card, CardReport, LinearCard, LinearFactor, Link, ScoreBand, ScoreSummary, Scored, card,
};
pub use design::{Design, Impute, Inputs};
pub use error::WorkbenchError;
pub use fit::{Coefficient, FitReport, FitWish, Fitted, Intercept, Signs, fit};
pub use kycc_domain::binning::{BinningOptions, PointScaling, Trend, WoeCard, WoeFactor};
pub use kycc_domain::logistic::{Penalty, SignBound};
pub use kycc_domain::vif::Vif;
pub use measures::{
    CALLED_BAD, MAX_REPLICATES, Measure, MeasureOptions, Measures, ProbabilityMeasures, called_bad,
};
pub use output::{refuse_input, write_whole};
pub use page::page;
pub use printable::printable;
pub use sample::{Holdout, Roles, Sample};
pub use scores::{Comparison, NamedAuc, ScoreReport, compare_scores, measure_scores};
pub use significant::{cut_names, fixed, p_value, significant};
pub use stability::{Cell, Reading, StabilityReport, stability};
pub use table::{Column, Place, Table, Texts, Values};
