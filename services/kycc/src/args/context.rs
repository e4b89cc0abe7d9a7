//! What can be typed about fleets elsewhere.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ContextCommand {
    /// Give a fleet a name. The first one becomes the current one.
    Add(AddContextArgs),
    /// The names, the current one marked.
    List,
    /// Talk to this fleet from now on, where a command names none and no data folder.
    Use { name: String },
    /// Talk to the fleet of the data folder again.
    Unset,
    /// Forget a name.
    Remove { name: String },
}

#[derive(Debug, Args)]
pub(crate) struct AddContextArgs {
    pub(crate) name: String,
    /// host:port, http://host:port or https://host:port.
    #[arg(long)]
    pub(crate) address: String,
    /// A file with a JWT or an API key, read anew when it changes.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Roots of the server's certificate; by default those of the system.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// A certificate to show.
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub(crate) cert_file: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    pub(crate) key_file: Option<PathBuf>,
}
