//! What can be typed to send a batch to a fleet.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// A folder of <BATCH>_<table>….ndjson, such files one by one, or a batch document (.json).
    #[arg(required = true, value_name = "FOLDER|FILE")]
    pub(crate) sources: Vec<PathBuf>,
    /// Name of the batch.
    #[arg(long)]
    pub(crate) batch: String,
    /// The instant that the batch is of, such as 2026-01-31T00:00:00Z; by default what the source says of itself.
    #[arg(long)]
    pub(crate) as_of: Option<chrono::DateTime<chrono::Utc>>,
    /// Leave the upload open: neither seal it nor launch its run.
    #[arg(long)]
    pub(crate) keep_open: bool,
}
