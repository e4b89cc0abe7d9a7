//! Why a batch could not be written.

use std::{io, path::PathBuf};

use chrono::{DateTime, Utc};

#[derive(Debug, thiserror::Error)]
pub enum SyntheticError {
    #[error(
        "batch id {batch_id:?} cannot name a file: use 1 to 128 letters, digits, '_', '-' or '.', and do not start with '.'"
    )]
    BatchId { batch_id: String },
    #[error("a batch of {parties} parties cannot be generated: ask for 1 to {most}")]
    Parties { parties: u64, most: u64 },
    #[error("{field} is {value}: give a mean from 0 to {most}")]
    Mean {
        field: &'static str,
        value: f64,
        most: f64,
    },
    #[error("generated_at {generated_at} cannot be used: give a time in the years 1970 to 9999")]
    GeneratedAt { generated_at: DateTime<Utc> },
    #[error(
        "{} is there already, from this batch in another format: remove it or choose another batch id",
        path.display()
    )]
    OtherFormat { path: PathBuf },
    #[error("cannot create the folder {}: check that its parent exists and can be written", path.display())]
    CreateFolder { path: PathBuf, source: io::Error },
    #[error("cannot create {}: check that its folder can be written", path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error("cannot write {}: check the space left on its disk", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot give {} its final name: check that nothing else of that name is in the way", path.display())]
    Publish { path: PathBuf, source: io::Error },
}

impl SyntheticError {
    /// A stable word for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::BatchId { .. } => "BATCH_ID",
            Self::Parties { .. } => "PARTIES",
            Self::Mean { .. } => "MEAN",
            Self::GeneratedAt { .. } => "GENERATED_AT",
            Self::OtherFormat { .. } => "OTHER_FORMAT",
            Self::CreateFolder { .. } => "CREATE_FOLDER",
            Self::Create { .. } => "CREATE",
            Self::Write { .. } => "WRITE",
            Self::Publish { .. } => "PUBLISH",
        }
    }
}
