//! Why a column cannot be binned.

use thiserror::Error;

use super::MAX_PREBINS;

#[derive(Debug, Clone, PartialEq, Error)]
pub enum BinningError {
    #[error("there are no rows to bin")]
    Empty,
    #[error("there are {got} {what} for {expected} values; give one for each")]
    Length {
        what: &'static str,
        got: usize,
        expected: usize,
    },
    #[error("the weight of row {row} is {weight}; weights must be finite and not negative")]
    BadWeight { row: usize, weight: f64 },
    #[error("the weights add up to more than a number holds; scale them down")]
    WeightsOverflow,
    #[error("only one class carries weight; binning needs good and bad rows")]
    SingleClass,
    #[error("the least share of a bin is {min_share}; it must lie between 0 and 0.5")]
    BadMinShare { min_share: f64 },
    #[error("the number of pre-bins is {max_prebins}; it must lie between 2 and {MAX_PREBINS}")]
    BadPrebins { max_prebins: usize },
    #[error("the most bins must be at least 1, or left out for no limit")]
    NoBins,
    #[error(
        "special value {value} is not finite or given twice; NaN is missing without being named"
    )]
    BadSpecial { value: f64 },
    #[error("cut {value} is not finite or not above the one before it")]
    BadCut { value: f64 },
    #[error("there are {got} cuts, but at most {limit} can be searched; leave some out")]
    TooManyCuts { got: usize, limit: usize },
}

impl BinningError {
    /// A stable name for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Empty => "EMPTY",
            Self::Length { .. } => "LENGTH_MISMATCH",
            Self::BadWeight { .. } | Self::WeightsOverflow => "BAD_WEIGHT",
            Self::SingleClass => "SINGLE_CLASS",
            Self::BadMinShare { .. } | Self::BadPrebins { .. } | Self::NoBins => {
                "BAD_BINNING_OPTIONS"
            }
            Self::BadSpecial { .. } => "BAD_SPECIAL_VALUE",
            Self::BadCut { .. } | Self::TooManyCuts { .. } => "BAD_CUTS",
        }
    }
}
