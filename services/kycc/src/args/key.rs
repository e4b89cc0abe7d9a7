//! What can be typed about API keys.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use kycc_rpc::Role;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Draw a key: print it, this once, and its entry for the file of `security.api_keys_file`.
    Create(CreateKeyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateKeyArgs {
    /// Tells keys apart in the file and in logs: lower-case letters, digits and '-'.
    pub(crate) id: String,
    /// Whom the key stands for; by default its id.
    #[arg(long)]
    pub(crate) principal: Option<String>,
    /// viewer, ingester, operator or approver (repeatable).
    #[arg(long = "role", value_name = "ROLE", required = true)]
    pub(crate) roles: Vec<Role>,
    /// After this instant the key is refused, e.g. 2027-12-31T00:00:00Z.
    #[arg(long)]
    pub(crate) expires: Option<DateTime<Utc>>,
}
