//! `kycc config`.

use crate::args::{FleetArgs, Global};
use crate::fleet_config;
use crate::show::json;

pub(crate) fn run(global: &Global, args: &FleetArgs) -> anyhow::Result<()> {
    let config = fleet_config::resolve(global, args)?;
    json::print(&serde_json::to_value(&config)?);
    Ok(())
}
