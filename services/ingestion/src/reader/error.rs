//! What ends the reading of an input. What only rejects a record is a `Fault`.

use std::io;

use super::LONGEST_RECORD_BYTES;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("cannot read {file}")]
    Io { file: String, source: io::Error },
    #[error(
        "{file} ends at byte {offset}, inside {place}: the document is truncated; fetch or write it again"
    )]
    Truncated {
        file: String,
        offset: u64,
        place: String,
    },
    #[error("{file}, byte {offset}, {place}: {what}")]
    Syntax {
        file: String,
        offset: u64,
        place: String,
        what: String,
    },
    #[error(
        "{file}, {place}: record longer than {LONGEST_RECORD_BYTES} bytes (it starts at byte {offset})"
    )]
    RecordTooLong {
        file: String,
        offset: u64,
        place: String,
    },
    #[error("{file}: the key {key:?} appears twice at the top of the document")]
    DuplicateKey { file: String, key: String },
    #[error(
        "{file}, {place}: the field {field} is an outcome; profiles that carry outcomes are refused, because a score \
         must not be made from what it predicts. Take the field out, and give outcomes apart with labels_uri"
    )]
    OutcomeInProfiles {
        file: String,
        place: String,
        field: String,
    },
    #[error(
        "{file} is batch {found:?}, but the run is for batch {expected:?}; run it as batch {found:?} or name the right file"
    )]
    WrongBatch {
        file: String,
        found: String,
        expected: String,
    },
    #[error("{file}: {field} is {found}; expected {expected}")]
    BadHeader {
        file: String,
        field: &'static str,
        found: String,
        expected: &'static str,
    },
    #[error("{file} has no column {column}, which {table} needs; its columns are {found}")]
    MissingColumn {
        file: String,
        table: &'static str,
        column: &'static str,
        found: String,
    },
    #[error("{file} names the column {column:?} twice")]
    DuplicateColumn { file: String, column: String },
    #[error("{file}: column {column} has the type {found}; expected {expected}")]
    WrongColumn {
        file: String,
        column: String,
        found: String,
        expected: &'static str,
    },
    #[error("{file} is not a Parquet file that can be read")]
    Parquet {
        file: String,
        source: parquet::errors::ParquetError,
    },
    #[error("{file} cannot be decoded after row {row}")]
    Decode {
        file: String,
        row: u64,
        source: arrow::error::ArrowError,
    },
    /// Whoever takes the blocks wants no more of them, and knows why.
    #[error("the reading was stopped")]
    Stopped,
}

impl ReadError {
    /// Stable, for programs.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Io { .. } => "SOURCE_UNREADABLE",
            Self::Truncated { .. } => "DOCUMENT_TRUNCATED",
            Self::Syntax { .. } => "DOCUMENT_INVALID",
            Self::RecordTooLong { .. } => "RECORD_TOO_LONG",
            Self::DuplicateKey { .. } => "DUPLICATE_KEY",
            Self::OutcomeInProfiles { .. } => "LABELS_IN_PROFILES",
            Self::WrongBatch { .. } => "WRONG_BATCH",
            Self::BadHeader { .. } => "BAD_HEADER",
            Self::MissingColumn { .. } => "MISSING_COLUMN",
            Self::DuplicateColumn { .. } => "DUPLICATE_COLUMN",
            Self::WrongColumn { .. } => "WRONG_COLUMN",
            Self::Parquet { .. } | Self::Decode { .. } => "PARQUET_INVALID",
            Self::Stopped => "STOPPED",
        }
    }

    /// The record at fault, where there is one.
    pub(crate) fn record(&self) -> Option<String> {
        match self {
            Self::Truncated { file, place, .. }
            | Self::Syntax { file, place, .. }
            | Self::RecordTooLong { file, place, .. } => Some(format!("{file}, {place}")),
            Self::OutcomeInProfiles { file, place, field } => {
                Some(format!("{file}, {place}, {field}"))
            }
            _ => None,
        }
    }
}
