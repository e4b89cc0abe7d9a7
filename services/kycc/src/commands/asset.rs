//! `kycc asset …`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Utc};
use kycc_proto::orchestrator::v1::{
    Asset, GetAssetRequest, LaunchRunRequest, ListAssetsRequest, Materialization,
};
use kycc_rpc::ClientError;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::args::{AssetCommand, Global, MaterializeArgs};
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};
use crate::{fleet_config, inputs};

pub(crate) async fn run(global: &Global, command: AssetCommand) -> anyhow::Result<ExitCode> {
    match command {
        AssetCommand::List => list(global).await?,
        AssetCommand::Show { asset } => show(global, asset).await?,
        AssetCommand::Materialize(args) => return materialize(global, args).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(global: &Global) -> anyhow::Result<()> {
    let connection = Connection::for_catalogue(global).await?;
    let answer = connection
        .orchestrator()
        .list_assets(ListAssetsRequest {})
        .await
        .map_err(ClientError::from)?;
    connection.close().await;
    let assets = answer.into_inner().assets;
    if global.json {
        show_json::print(&json!({"assets": assets.iter().map(definition).collect::<Vec<_>>()}));
        return Ok(());
    }
    let mut table = Table::new(&["asset", "group", "depends on", "lane", "description"]);
    for asset in assets {
        table.row([
            asset.key,
            asset.group,
            asset.dependencies.join(", "),
            asset.lane,
            asset.description,
        ]);
    }
    table.print("no assets are defined");
    Ok(())
}

async fn show(global: &Global, key: String) -> anyhow::Result<()> {
    let connection = Connection::for_catalogue(global).await?;
    let answer = connection
        .orchestrator()
        .get_asset(GetAssetRequest { key })
        .await
        .map_err(ClientError::from)?;
    connection.close().await;
    let answer = answer.into_inner();
    let asset = answer
        .asset
        .context("the server answered without an asset")?;
    if global.json {
        let mut value = definition(&asset);
        value["materializations"] = answer
            .latest
            .iter()
            .map(show_json::materialization)
            .collect::<Vec<_>>()
            .into();
        show_json::print(&value);
        return Ok(());
    }
    outln!("{}", asset.key);
    outln!("  {}", asset.description);
    outln!(
        "  group {} · lane {} · code version {}",
        asset.group,
        asset.lane,
        asset.code_version
    );
    outln!("  depends on: {}", or_nothing(&asset.dependencies));
    outln!("  produces: {}", or_nothing(&asset.datasets));
    print_config(&asset);
    outln!("");
    print_materializations(&answer.latest);
    Ok(())
}

fn or_nothing(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".into()
    } else {
        names.join(", ")
    }
}

/// One line per key of the config schema.
fn print_config(asset: &Asset) {
    let schema = show_json::parsed(&asset.config_schema_json);
    let Some(properties) = schema
        .get("properties")
        .and_then(Value::as_object)
        .filter(|keys| !keys.is_empty())
    else {
        outln!("  config: none");
        return;
    };
    outln!("  config:");
    let mut table = Table::new(&["    key", "type", "default", "meaning"]);
    for (key, property) in properties {
        let field = |name: &str| property.get(name).map_or(String::new(), plain);
        table.row([
            format!("    {key}"),
            field("type"),
            field("default"),
            field("description"),
        ]);
    }
    table.print("");
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" or "),
        other => other.to_string(),
    }
}

fn print_materializations(latest: &[Materialization]) {
    let mut table = Table::new(&["batch", "version", "#rows", "#size", "made", "run"]);
    for made in latest {
        table.row([
            made.batch_id.clone(),
            made.version_key.get(..12).unwrap_or_default().to_owned(),
            text::count(made.outputs.iter().map(|output| output.rows).sum()),
            text::bytes(made.outputs.iter().map(|output| output.bytes).sum()),
            text::time(made.create_time),
            made.run_id.clone(),
        ]);
    }
    table.print("not materialized yet");
}

fn definition(asset: &Asset) -> Value {
    json!({
        "key": asset.key,
        "description": asset.description,
        "group": asset.group,
        "dependencies": asset.dependencies,
        "lane": asset.lane,
        "code_version": asset.code_version,
        "datasets": asset.datasets,
        "config_schema": show_json::parsed(&asset.config_schema_json),
    })
}

async fn materialize(global: &Global, args: MaterializeArgs) -> anyhow::Result<ExitCode> {
    let mut config = inputs::run_config(args.config.as_deref())?;
    let mut files = Vec::new();
    for (dataset, file) in &args.inputs {
        let path = inputs::existing(file.as_ref(), &format!("--input {dataset}="))
            .with_context(|| format!("the input of {dataset} cannot be used"))?;
        files.push((dataset.clone(), path));
    }
    if let Some(as_of) = args.as_of {
        if files
            .iter()
            .any(|(dataset, _)| INGESTED.contains(&dataset.as_str()))
        {
            inputs::set_ingest(&mut config, "as_of", &as_of.to_rfc3339(), "--as-of")?;
        } else {
            files.push((
                "batch".to_owned(),
                batch_document(global, &args.batch, as_of)?,
            ));
        }
    }
    let request = LaunchRunRequest {
        assets: vec![args.asset],
        batch_id: args.batch,
        run_config_json: config.to_string(),
        request_id: Uuid::new_v4().to_string(),
        inputs: files
            .iter()
            .map(|(dataset, path)| (dataset.clone(), path.to_string_lossy().into_owned()))
            .collect(),
        ..LaunchRunRequest::default()
    };
    let folders: Vec<_> = files.into_iter().map(|(_, path)| path).collect();
    let connection = Connection::for_runs(global, &args.fleet, &folders).await?;
    let code = super::job::launch(&connection, request, global.json).await;
    connection.close().await;
    code
}

/// Datasets that ingestion makes of files; it takes the as-of itself.
const INGESTED: [&str; 4] = ["parties", "accounts", "transactions", "relationships"];

/// Writes the document that carries the as-of of a batch whose other datasets come from files.
fn batch_document(global: &Global, batch: &str, as_of: DateTime<Utc>) -> anyhow::Result<PathBuf> {
    let folder = fleet_config::landing(global)?;
    let path = folder.join(format!("{batch}_as_of.json"));
    let document = json!({"batch_id": batch, "as_of": as_of.timestamp_micros()});
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&path, document.to_string()))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
