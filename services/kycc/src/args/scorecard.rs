//! What can be typed about versions of the scorecard.

use clap::{Args, Subcommand};

use super::{TrialCommand, key_value};

#[derive(Debug, Subcommand)]
pub(crate) enum ScorecardCommand {
    /// Every version, newest first.
    List {
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// One version; the active one when none is named.
    Show {
        #[arg(value_name = "VERSION")]
        card: Option<String>,
    },
    /// What changes from one version to another.
    Compare { base: String, other: String },
    /// Let a version through that passed its gates; not for its author.
    Approve {
        #[command(flatten)]
        change: CardChange,
        /// A note on a gate that wants one, e.g. CHAMPION="small batch" (repeatable).
        #[arg(long = "note", value_name = "GATE=TEXT", value_parser = key_value)]
        notes: Vec<(String, String)>,
        /// Approve a draft of one's own; only where no identity provider is configured.
        #[arg(long)]
        allow_self_approval: bool,
    },
    /// Close a version that is not and never was active.
    Reject(CardChange),
    /// Make an approved version the active one.
    Activate(CardChange),
    /// Make a version active again that once was; the one before the present one when none is named.
    Rollback {
        #[arg(value_name = "VERSION")]
        card: Option<String>,
        /// Why. Kept in the audit log.
        #[arg(long)]
        reason: String,
        /// Only if the version still has this etag, as `show` prints it.
        #[arg(long)]
        etag: Option<String>,
    },
    /// Let a version score new batches in the shadow of the active one, or end that.
    Shadow {
        #[arg(value_name = "VERSION", required_unless_present = "off")]
        card: Option<String>,
        /// None shadows any more.
        #[arg(long, conflicts_with = "card")]
        off: bool,
        /// Why. Kept in the audit log.
        #[arg(long)]
        reason: String,
        /// Only if the version still has this etag, as `show` prints it.
        #[arg(long)]
        etag: Option<String>,
    },
    /// The model card of a refined version, as Markdown.
    Card {
        #[arg(value_name = "VERSION")]
        card: String,
    },
    /// What a refined version would change for whom.
    Impact {
        #[arg(value_name = "VERSION")]
        card: String,
    },
    #[command(flatten)]
    Trial(TrialCommand),
}

/// A change of one version.
#[derive(Debug, Args)]
pub(crate) struct CardChange {
    #[arg(value_name = "VERSION")]
    pub(crate) card: String,
    /// Why. Kept in the audit log.
    #[arg(long)]
    pub(crate) reason: String,
    /// Only if the version still has this etag, as `show` prints it.
    #[arg(long)]
    pub(crate) etag: Option<String>,
}
