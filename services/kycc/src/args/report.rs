//! What can be typed about reports.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ReportArgs {
    #[command(subcommand)]
    pub(crate) of: Option<ReportCommand>,
    /// By default the newest scored batch.
    #[arg(long)]
    pub(crate) batch: Option<String>,
    /// How many scores to explain.
    #[arg(long, default_value_t = 5)]
    pub(crate) explain: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// How far a batch has moved from another, or from the population that its card was trained on.
    Drift {
        /// By default the newest scored batch.
        #[arg(long)]
        batch: Option<String>,
        /// A scored batch to compare with; by default the training population of the card.
        #[arg(long, value_name = "BATCH")]
        against: Option<String>,
    },
}
