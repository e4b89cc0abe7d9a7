//! What can be typed about dead letters.

use clap::{Args, Subcommand};

use super::FleetArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// Newest first; what is shown when nothing is said.
    List(ListDeadLettersArgs),
    /// Run again what failed with a dead letter, from the failed steps, and follow it. Each letter once.
    Replay {
        /// As `kycc run dead-letters` shows it.
        dead_letter: String,
        #[command(flatten)]
        fleet: FleetArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ListDeadLettersArgs {
    /// Of this run only.
    #[arg(long)]
    pub(crate) run: Option<String>,
    /// Only those that nobody has replayed.
    #[arg(long)]
    pub(crate) open: bool,
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

impl Default for ListDeadLettersArgs {
    fn default() -> Self {
        Self {
            run: None,
            open: false,
            limit: 20,
        }
    }
}
