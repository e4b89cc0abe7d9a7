//! What can be typed about a candidate card before it is the active one.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum TrialCommand {
    /// A version on batches of the past, beside the one that scored them.
    Backtest {
        #[arg(value_name = "VERSION")]
        card: String,
        /// A scored batch (repeatable); by default all, the newest 20 at most.
        #[arg(long = "batch", value_name = "BATCH")]
        batches: Vec<String>,
    },
    /// What a version made of the batches that it scored in the shadow of the active one.
    ShadowReport {
        /// By default the version that is in the shadow now.
        #[arg(value_name = "VERSION")]
        card: Option<String>,
    },
}
