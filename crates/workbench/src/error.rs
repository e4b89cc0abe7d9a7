//! Everything that can be wrong with a file or a wish, told so that the person who typed it can put it right.

use kycc_domain::binning::{BinningError, WoeCardError};
use kycc_domain::logistic::LogisticError;
use kycc_domain::metrics::MetricError;
use thiserror::Error;

use crate::table::Place;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkbenchError {
    #[error("{file} cannot be read")]
    Open {
        file: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("{file} cannot be written")]
    Write {
        file: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("{out} is the file that is read ({input}); write to another one with --out")]
    OutIsInput { out: String, input: String },
    #[error("{file} is a folder; name one CSV or Parquet file")]
    Folder { file: String },
    #[error("{file} is compressed or a spreadsheet; unpack it, or save it as CSV or Parquet")]
    Packed { file: String },
    #[error(
        "{file} is Parquet out of a pipe, which cannot be read from its end; name the file itself"
    )]
    PipedParquet { file: String },
    #[error("{file} is UTF-16 text; save it as UTF-8")]
    Utf16 { file: String },
    #[error("{file} has no rows; a table needs {needs}")]
    NoRows { file: String, needs: &'static str },
    #[error("{file} has two columns named {column:?}; rename one")]
    DuplicateColumn { file: String, column: String },
    #[error(
        "{file}, {place} has {got} fields where the header has {expected}; put fields that hold the delimiter in quotes, or name another one with --delimiter"
    )]
    Ragged {
        file: String,
        place: Place,
        expected: u64,
        got: u64,
    },
    #[error(
        "{file}: the double quote that opens a field on {place} is not closed; close it, or leave it out"
    )]
    UnclosedQuote { file: String, place: Place },
    #[error("{file}, {place}, column {column:?} is not UTF-8 text; save the file as UTF-8")]
    NotUtf8 {
        file: String,
        place: Place,
        column: String,
    },
    #[error("{file} cannot be read as CSV")]
    Csv {
        file: String,
        #[source]
        cause: csv::Error,
    },
    #[error(
        "{file} cannot be read as Parquet; if its compression is not known here, write it with snappy or none"
    )]
    Parquet {
        file: String,
        #[source]
        cause: arrow::error::ArrowError,
    },
    #[error("{file} has no column {column:?}; its columns are {columns}")]
    NoColumn {
        file: String,
        column: String,
        columns: String,
    },
    #[error(
        "{file}, {place}, column {column:?} holds {value:?}, which is not a finite number; correct it (decimal point, no thousands separators), or leave the column out"
    )]
    NotANumber {
        file: String,
        place: Place,
        column: String,
        value: String,
    },
    #[error(
        "{file}, column {column:?} is of the type {kind}, which is not read; turn it into a number, or an id into text"
    )]
    UnreadType {
        file: String,
        column: String,
        kind: String,
    },
    #[error(
        "{file}, column {column:?} has {count} missing values, the first in {place}; fill them in or leave these rows out"
    )]
    Missing {
        file: String,
        column: String,
        count: usize,
        place: Place,
    },
    #[error(
        "{file}, feature {column:?} has {count} missing values, the first in {place}; give them a bin of their own with --woe, fill them with --impute median, or leave the feature out with --features"
    )]
    MissingFeature {
        file: String,
        column: String,
        count: usize,
        place: Place,
    },
    #[error(
        "{file}, column {column:?} has no value in the training rows; leave it out with --features"
    )]
    EmptyFeature { file: String, column: String },
    #[error(
        "{file}, column {column:?} must hold 1 or true for bad and 0 or false for good (the words good and bad do too), but holds {found}"
    )]
    NotBinary {
        file: String,
        column: String,
        found: String,
    },
    #[error(
        "{file}, column {column:?} must hold 1 or true in rows that are held out and 0 or false in the others, but holds {found}; a rule such as i%5==4 needs no column"
    )]
    NotAHoldout {
        file: String,
        column: String,
        found: String,
    },
    #[error("{file}: the {part} rows have {goods} good and {bads} bad; both are needed")]
    SingleClass {
        file: String,
        part: &'static str,
        goods: usize,
        bads: usize,
    },
    #[error(
        "{file}, {place}, column {column:?}: the weight {weight} is negative; weights are 0 or more"
    )]
    BadWeight {
        file: String,
        place: Place,
        column: String,
        weight: f64,
    },
    #[error("{file}: the holdout {rule} takes {holdout} of {rows} rows; both parts need rows")]
    EmptyPart {
        file: String,
        rule: String,
        holdout: usize,
        rows: usize,
    },
    #[error(
        "{text:?} is no row rule; write i%N==K with K below N, such as i%5==4, or name a column"
    )]
    BadRowRule { text: String },
    #[error("{text:?} is no sign bound; write name:+ or name:-, separated by commas")]
    BadSign { text: String },
    #[error("--sign names {name:?}, which is not among the features: {features}")]
    UnknownSign { name: String, features: String },
    #[error("{column:?} is the {role} column; it cannot be a feature too")]
    FeatureTaken { column: String, role: &'static str },
    #[error("{column:?} is named twice among the features")]
    FeatureTwice { column: String },
    #[error("{file} has no column of numbers left to be a feature; name some with --features")]
    NoFeatures { file: String },
    #[error(
        "the coefficients of weights of evidence are negative where they make sense, so --nonnegative would leave none; write --sign '*:-'"
    )]
    WoeNonNegative,
    #[error("--woe gives missing values a bin of their own; leave --impute out")]
    WoeImpute,
    #[error("the model cannot be fitted on {file}")]
    Fit {
        file: String,
        #[source]
        cause: LogisticError,
    },
    #[error(
        "{file}: the features {features} are linear combinations of one another, so their coefficients cannot be told apart; leave one out, or use --penalty l2"
    )]
    Collinear { file: String, features: String },
    #[error(
        "{file}: the values of {feature:?} are too large to compute with; give it in another unit"
    )]
    Overflow { file: String, feature: String },
    #[error("the variance inflation factors cannot be computed")]
    Vif(#[source] kycc_domain::vif::VifError),
    #[error(
        "the fit did not converge in {iterations} steps (gradient {gradient}); try --penalty l2, or leave out features that repeat one another"
    )]
    NotConverged { iterations: usize, gradient: f64 },
    #[error("{column:?} of {file} cannot be binned")]
    Bin {
        file: String,
        column: String,
        #[source]
        cause: BinningError,
    },
    #[error("{file} cannot be measured")]
    Metric {
        file: String,
        #[source]
        cause: MetricError,
    },
    #[error("the card cannot be written as points")]
    Card(#[source] WoeCardError),
    #[error("{what} must be {must}, not {got}")]
    BadOption {
        what: &'static str,
        must: &'static str,
        got: f64,
    },
    #[error(
        "every coefficient is 0, so no feature shares out points; train on other rows or features"
    )]
    Degenerate,
    #[error("{file}, column {column:?} has no value at all")]
    NoValues { file: String, column: String },
}

impl WorkbenchError {
    /// Stable name for programs; never derived from the text.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Open { .. } | Self::Folder { .. } | Self::PipedParquet { .. } => {
                "FILE_UNREADABLE"
            }
            Self::Write { .. } => "FILE_UNWRITABLE",
            Self::OutIsInput { .. } => "OUT_IS_INPUT",
            Self::Packed { .. } | Self::Utf16 { .. } | Self::NotUtf8 { .. } => "FILE_ENCODING",
            Self::NoRows { .. } => "NO_ROWS",
            Self::DuplicateColumn { .. } => "DUPLICATE_COLUMN",
            Self::Ragged { .. } | Self::UnclosedQuote { .. } | Self::Csv { .. } => "CSV_UNREADABLE",
            Self::Parquet { .. } => "PARQUET_UNREADABLE",
            Self::NoColumn { .. } => "NO_COLUMN",
            Self::NotANumber { .. } | Self::UnreadType { .. } => "NOT_A_NUMBER",
            Self::Missing { .. } | Self::MissingFeature { .. } => "MISSING_VALUES",
            Self::EmptyFeature { .. } | Self::NoValues { .. } => "NO_VALUES",
            Self::NotBinary { .. } => "TARGET_NOT_BINARY",
            Self::SingleClass { .. } => "SINGLE_CLASS",
            Self::BadWeight { .. } => "BAD_WEIGHT",
            Self::EmptyPart { .. } | Self::NotAHoldout { .. } | Self::BadRowRule { .. } => {
                "BAD_HOLDOUT"
            }
            Self::BadSign { .. } | Self::UnknownSign { .. } | Self::WoeNonNegative => "BAD_SIGN",
            Self::FeatureTaken { .. } | Self::FeatureTwice { .. } | Self::NoFeatures { .. } => {
                "BAD_FEATURES"
            }
            Self::WoeImpute | Self::BadOption { .. } => "BAD_OPTION",
            Self::Fit { cause, .. } => cause.reason(),
            Self::Collinear { .. } => "FIT_COLLINEAR",
            Self::Overflow { .. } => "FIT_OVERFLOW",
            Self::Vif(cause) => cause.reason(),
            Self::NotConverged { .. } => "NOT_CONVERGED",
            Self::Bin { cause, .. } => cause.reason(),
            Self::Metric { cause, .. } => cause.reason(),
            Self::Card(cause) => cause.reason(),
            Self::Degenerate => "DEGENERATE_CARD",
        }
    }
}
