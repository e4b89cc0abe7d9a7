//! What can be typed about the audit log.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Entries that match, newest first.
    List {
        /// Whose: orchestrator, labels or scorecards.
        #[arg(long)]
        service: Option<String>,
        /// About what, e.g. run/0192…, scorecard/1.0-3fa9c1d2, or run/ for every run.
        #[arg(long)]
        subject: Option<String>,
        /// By whom.
        #[arg(long)]
        principal: Option<String>,
        /// What was done, e.g. launch, cancel, approve.
        #[arg(long)]
        action: Option<String>,
        /// From then on, RFC 3339.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Before then, RFC 3339.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// Oldest first, from the first on.
        #[arg(long)]
        oldest_first: bool,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Work chains out anew, and every scorecard version against its own; the exit code is 0 or 1.
    Verify {
        /// Only this one's.
        service: Option<String>,
        /// A hash kept from an earlier verification, which the service's log must hold.
        #[arg(long, value_name = "HASH", requires = "service")]
        known: Option<String>,
    },
}
