//! `kycc scorecard …`.

mod change;
mod compare;
mod impact;
mod trials;
mod version;

use std::process::ExitCode;

use kycc_proto::scorecards::v1::{
    GetModelCardRequest, GetVersionRequest, ListVersionsRequest, ScorecardVersion,
};
use kycc_rpc::ClientError;
use serde_json::json;

use crate::args::{FleetArgs, Global, ScorecardCommand};
use crate::connection::Connection;
use crate::show::{Table, json as show_json, out, text};

pub(crate) use compare::{compare, print_comparison};

pub(crate) async fn run(global: &Global, command: ScorecardCommand) -> anyhow::Result<ExitCode> {
    let looks = matches!(
        command,
        ScorecardCommand::List { .. }
            | ScorecardCommand::Show { .. }
            | ScorecardCommand::Compare { .. }
            | ScorecardCommand::Card { .. }
            | ScorecardCommand::Impact { .. }
            | ScorecardCommand::Trial(_)
    );
    let connection = if looks {
        Connection::for_reading(global).await?
    } else {
        Connection::for_runs(global, &FleetArgs::default(), &[]).await?
    };
    let outcome = answer(&connection, global, command).await;
    connection.close().await;
    outcome
}

async fn answer(
    connection: &Connection,
    global: &Global,
    command: ScorecardCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        ScorecardCommand::List { limit } => list(connection, global, limit).await?,
        ScorecardCommand::Show { card } => {
            let version = get(connection, card.unwrap_or_default()).await?;
            let numbers = version.clone().filter(|_| !global.json);
            version::show(global, version)?;
            numbers.iter().for_each(version::print_numbers);
        }
        ScorecardCommand::Compare { base, other } => {
            let compared = compare(connection, base, other).await?;
            if global.json {
                show_json::print(&compare::comparison_json(&compared));
            } else {
                print_comparison(&compared);
            }
        }
        ScorecardCommand::Card { card } => model_card(connection, global, card).await?,
        ScorecardCommand::Impact { card } => impact::show(connection, global, card).await?,
        ScorecardCommand::Trial(command) => trials::run(connection, global, command).await?,
        changing => change::run(connection, global, changing).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn get(connection: &Connection, version: String) -> anyhow::Result<Option<ScorecardVersion>> {
    let request = GetVersionRequest { version };
    let answer = connection.scorecards().get_version(request).await;
    Ok(answer.map_err(ClientError::from)?.into_inner().version)
}

async fn list(connection: &Connection, global: &Global, limit: u32) -> anyhow::Result<()> {
    let request = ListVersionsRequest {
        page_size: i32::try_from(limit).unwrap_or(i32::MAX),
        page_token: String::new(),
    };
    let answer = connection
        .scorecards()
        .list_versions(request)
        .await
        .map_err(ClientError::from)?
        .into_inner();
    if global.json {
        let versions = answer.versions.iter().map(version::as_json);
        show_json::print(&json!({"versions": versions.collect::<Vec<_>>()}));
        return Ok(());
    }
    let mut table = Table::new(&[
        "version", "hash", "status", "author", "created", "parent", "gates",
    ]);
    for version in &answer.versions {
        let shadow = if version.shadow { ", shadow" } else { "" };
        table.row([
            version.version.clone(),
            version.hash.get(..12).unwrap_or_default().to_owned(),
            format!("{}{shadow}", version::status(version)),
            version.author.clone(),
            text::time(version.create_time),
            version.parent_version.clone(),
            version::gate_summary(version),
        ]);
    }
    table.print("no scorecard yet");
    Ok(())
}

async fn model_card(
    connection: &Connection,
    global: &Global,
    version: String,
) -> anyhow::Result<()> {
    let request = GetModelCardRequest { version };
    let answer = connection.scorecards().get_model_card(request).await;
    let card = answer.map_err(ClientError::from)?.into_inner();
    if global.json {
        show_json::print(&show_json::parsed(&card.json));
    } else {
        out::page(card.markdown.trim_end());
    }
    Ok(())
}
