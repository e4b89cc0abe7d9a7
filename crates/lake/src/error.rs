//! What can go wrong with the lake: each error names the operation and the path, and says what to do where one can act.

use crate::conform::RowsProblem;
use crate::store_problem::StoreProblem;
use kycc_domain::ids::Digest;

/// `reason()` and `retryable()` are for programs; the text is for people and never repeats its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    #[error("no dataset is called {name:?}; `kycc asset list` names what each asset produces")]
    UnknownDataset { name: String },
    #[error("cannot open the lake at {url:?}: {problem}")]
    Url { url: String, problem: String },
    #[error("cannot {operation} {path:?} in the lake: {problem}")]
    Store {
        operation: &'static str,
        path: String,
        problem: StoreProblem,
        source: object_store::Error,
    },
    #[error(
        "cannot read {path:?}: it has no manifest, so it was never completed or has been removed; run its step again"
    )]
    NotFound { path: String },
    #[error("cannot read {path:?}: {problem}; move its folder away and run its step again")]
    Corrupt { path: String, problem: String },
    #[error(
        "cannot read data file {path:?}: {problem}; restore it, or move the version's folder away and run its step again"
    )]
    Damaged { path: String, problem: String },
    #[error(
        "cannot read {path:?}: it has schema version {found}, this program reads {expected}; run its step again"
    )]
    SchemaVersion {
        path: String,
        found: u32,
        expected: u32,
    },
    #[error(
        "cannot publish {path:?}: another attempt has published digest {standing}, this one made {ours} from the same \
         inputs; the step is not deterministic and its code must be corrected (and its code version raised)"
    )]
    Nondeterministic {
        path: String,
        standing: Digest,
        ours: Digest,
    },
    #[error(
        "cannot write {path:?}: this attempt has written another file there; give every attempt an id of its own"
    )]
    AttemptReused { path: String },
    #[error("cannot {operation} {path:?}: the dataset is a {is}")]
    WrongKind {
        operation: &'static str,
        path: String,
        is: &'static str,
    },
    #[error("cannot read {path:?}: it has no column {column:?}, only {known}")]
    UnknownColumn {
        path: String,
        column: String,
        known: String,
    },
    #[error("cannot write {path:?}: {problem}")]
    Rows { path: String, problem: RowsProblem },
    #[error(
        "cannot compose the shards of {path:?}: {problem}; move its shards folder away and run its step again"
    )]
    Shards { path: String, problem: String },
    #[error("cannot {operation} Parquet data of {path:?}")]
    Parquet {
        operation: &'static str,
        path: String,
        source: parquet::errors::ParquetError,
    },
    #[error("cannot {operation} {name:?}")]
    Query {
        operation: &'static str,
        name: String,
        source: datafusion::error::DataFusionError,
    },
    #[error("cannot open {path:?} for import")]
    OpenFile {
        path: String,
        source: std::io::Error,
    },
    #[error("cannot import {path:?}: {problem}")]
    Import {
        path: String,
        problem: ImportProblem,
    },
}

/// Why a user's file does not make a table. Rows count from 1, a CSV header not included.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportProblem {
    #[error("the file's ending is not one of .parquet, .csv, .ndjson, .jsonl")]
    Format,
    #[error("{reason}")]
    Unreadable { reason: String },
    #[error("row {row}: {reason}")]
    Row { row: u64, reason: String },
    #[error("dataset {dataset} has no column {column:?}, only {known}; remove or rename it")]
    UnknownColumn {
        dataset: &'static str,
        column: String,
        known: String,
    },
    #[error("column {column:?} occurs twice")]
    DuplicateColumn { column: String },
    #[error("dataset {dataset} needs columns that the file lacks: {columns}")]
    MissingColumns {
        dataset: &'static str,
        columns: String,
    },
    #[error("column {column:?} cannot be made from {found}; expected {expected}")]
    ColumnType {
        column: String,
        expected: String,
        found: String,
    },
    #[error("row {row}, column {column:?}: {value:?} is not {expected}")]
    Value {
        row: u64,
        column: String,
        value: String,
        expected: String,
    },
    #[error("row {row}, column {column:?}: a value is required")]
    Missing { row: u64, column: String },
    #[error("party {party:?} occurs more than once; the dataset has one row per party")]
    DuplicateParty { party: String },
    #[error(
        "party_ord must count the rows 0, 1, 2, … without gap or repetition: {found} stands where {expected} should; \
             leave the column out to have it assigned"
    )]
    Ordinals { expected: u32, found: u32 },
}

impl LakeError {
    /// Stable, for programs.
    pub fn reason(&self) -> &'static str {
        if let Some(problem) = StoreProblem::beneath(self) {
            return problem.reason();
        }
        match self {
            Self::UnknownDataset { .. } => "UNKNOWN_DATASET",
            Self::Url { .. } => "LAKE_URL_INVALID",
            Self::Store { problem, .. } => problem.reason(),
            Self::NotFound { .. } => "VERSION_NOT_FOUND",
            Self::Corrupt { .. } => "MANIFEST_CORRUPT",
            Self::Damaged { .. } => "DATA_FILE_DAMAGED",
            Self::SchemaVersion { .. } => "SCHEMA_VERSION_MISMATCH",
            Self::Nondeterministic { .. } => "NONDETERMINISTIC_STEP",
            Self::AttemptReused { .. } => "ATTEMPT_REUSED",
            Self::WrongKind { .. } => "WRONG_DATASET_KIND",
            Self::UnknownColumn { .. } => "UNKNOWN_COLUMN",
            Self::Rows { .. } => "ROWS_INVALID",
            Self::Shards { .. } => "SHARDS_INVALID",
            Self::Parquet { .. } => "PARQUET_FAILED",
            Self::Query { source, .. } => match source.find_root() {
                datafusion::error::DataFusionError::ResourcesExhausted(_) => "QUERY_OUT_OF_MEMORY",
                _ => "QUERY_FAILED",
            },
            Self::OpenFile { .. } => "FILE_UNREADABLE",
            Self::Import { .. } => "IMPORT_INVALID",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything: when the store was at fault, however
    /// deep below.
    pub fn retryable(&self) -> bool {
        StoreProblem::beneath(self).is_some_and(StoreProblem::retryable)
    }
}
