//! What can be typed about scores of parties.

use clap::{Args, Subcommand};

use super::key_value;

#[derive(Debug, Subcommand)]
pub(crate) enum ScoreCommand {
    /// The score of one party with everything that made it.
    Get {
        party: String,
        /// By default the newest scored batch.
        #[arg(long)]
        batch: Option<String>,
    },
    /// Scores of a batch in party order.
    List {
        #[arg(long)]
        batch: String,
        /// Only this band: excellent, good, fair, poor, very_poor.
        #[arg(long)]
        band: Option<String>,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// A party's scores over the batches, the newest first.
    History {
        party: String,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
    },
    /// How parties moved between bands from one batch to another.
    Transitions {
        /// By default the newest scored batch.
        #[arg(long)]
        batch: Option<String>,
        /// By default the batch before it in time.
        #[arg(long)]
        base: Option<String>,
        /// Parties shown that moved.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Changed scores, one line each, as batches are scored; until Ctrl-C.
    Watch {
        /// The token that an earlier watch ended with: goes on from there. By default from now on.
        #[arg(long, value_name = "TOKEN")]
        after: Option<String>,
        /// Only parties whose band changed.
        #[arg(long)]
        bands: bool,
    },
    /// What would lift a party, or features that belong to no batch, to a better band: the smallest change of each factor.
    Improve(ImproveArgs),
    /// Score features that belong to no batch: --feature kyc_verified=1 --feature network_size=9 …
    WhatIf {
        #[arg(long = "feature", value_name = "NAME=VALUE", value_parser = key_value, required = true)]
        features: Vec<(String, String)>,
        /// By default the active scorecard.
        #[arg(long)]
        scorecard: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ImproveArgs {
    #[arg(required_unless_present = "features", conflicts_with = "features")]
    pub(crate) party: Option<String>,
    /// By default the newest scored batch.
    #[arg(long, conflicts_with = "features")]
    pub(crate) batch: Option<String>,
    /// The band to reach; by default the next better one.
    #[arg(long)]
    pub(crate) band: Option<String>,
    /// A feature instead of a party (repeatable).
    #[arg(long = "feature", value_name = "NAME=VALUE", value_parser = key_value)]
    pub(crate) features: Vec<(String, String)>,
    /// The scorecard for features; by default the active one. A party's is the one that scored it.
    #[arg(long, requires = "features", conflicts_with = "party")]
    pub(crate) scorecard: Option<String>,
}
