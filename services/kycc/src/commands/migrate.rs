//! `kycc migrate`: the tables of every service, brought to the version that this kycc knows.

use std::process::ExitCode;

use kycc_runtime::FleetConfig;
use serde_json::{Value, json};

use crate::args::{Global, MigrateArgs};
use crate::fleet_config;
use crate::show::{Table, json as show_json};

pub(crate) async fn run(global: &Global, args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let config = fleet_config::resolve(global, &args.fleet)?;
    if args.check {
        check(global, &config).await
    } else {
        migrate(global, &config).await
    }
}

async fn migrate(global: &Global, config: &FleetConfig) -> anyhow::Result<ExitCode> {
    let done = kycc_runtime::migrate(config, &kycc_embed::modules()).await?;
    if global.json {
        let of = |tables: &kycc_runtime::Tables| json!({"service": tables.service, "from": tables.from, "to": tables.to});
        let services: Vec<Value> = done.iter().map(of).collect();
        show_json::print(&json!({"services": services}));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["service", "#from", "#to"]);
    for tables in done {
        table.row([
            tables.service.to_owned(),
            tables.from.to_string(),
            tables.to.to_string(),
        ]);
    }
    table.print("no service has tables");
    Ok(ExitCode::SUCCESS)
}

async fn check(global: &Global, config: &FleetConfig) -> anyhow::Result<ExitCode> {
    let refusals = kycc_runtime::check(config, &kycc_embed::modules()).await?;
    if global.json {
        let of = |refusal: &kycc_runtime::StoreError| json!({"reason": refusal.reason(), "message": refusal.to_string()});
        let refusals: Vec<Value> = refusals.iter().map(of).collect();
        show_json::print(&json!({"refusals": refusals}));
    } else if refusals.is_empty() {
        outln!("the state store is up to date");
    } else {
        for refusal in &refusals {
            outln!("{refusal}");
        }
    }
    Ok(if refusals.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
