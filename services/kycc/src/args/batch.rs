//! What can be typed about batches.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::UploadArgs;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum BatchFormat {
    /// One JSON document.
    Document,
    /// A folder with one NDJSON file per table.
    Ndjson,
    /// A folder with one CSV file per table.
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BatchCommand {
    /// Make a synthetic batch: a supply chain with risk tiers, and its outcomes in a file of their own.
    Generate(GenerateArgs),
    /// Batches that have been ingested.
    List {
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// One batch: its datasets, counts and where they come from.
    Show { batch: String },
    /// Send a batch to a fleet, record by record, and ingest it. Typed again after it was cut short, it goes on from there.
    Upload(UploadArgs),
    /// Records of a batch that were left out: those that broke a rule, and those after its as-of time.
    Rejected {
        batch: String,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    #[arg(long, default_value_t = 2_000)]
    pub(crate) parties: u64,
    #[arg(long, default_value_t = 42)]
    pub(crate) seed: u64,
    /// Name of the batch; by default SYNTH_<parties>_<seed>.
    #[arg(long)]
    pub(crate) batch: Option<String>,
    /// Folder to write to; by default the landing folder.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = BatchFormat::Document)]
    pub(crate) format: BatchFormat,
    /// Mean number of transactions of a party.
    #[arg(long)]
    pub(crate) transactions_per_party: Option<f64>,
    /// Mean number of relationships of a party.
    #[arg(long)]
    pub(crate) edges_per_party: Option<f64>,
}
