//! `kycc batch …`.

mod rejected;
mod upload;

use std::process::ExitCode;

use anyhow::Context;
use kycc_proto::ingestion::v1::{Batch, GetBatchRequest, ListBatchesRequest};
use kycc_rpc::ClientError;
use kycc_synthetic::{Format, Spec};
use serde_json::{Value, json};

use crate::args::{BatchCommand, BatchFormat, GenerateArgs, Global};
use crate::connection::Connection;
use crate::fleet_config;
use crate::show::{Table, json as show_json, text};

pub(crate) async fn run(global: &Global, command: BatchCommand) -> anyhow::Result<ExitCode> {
    match command {
        BatchCommand::Upload(args) => return upload::run(global, args).await,
        BatchCommand::Generate(args) => generate(global, args).await,
        BatchCommand::List { limit } => list(global, limit).await,
        BatchCommand::Show { batch } => show(global, batch).await,
        BatchCommand::Rejected { batch, limit } => rejected::run(global, batch, limit).await,
    }
    .map(|()| ExitCode::SUCCESS)
}

async fn generate(global: &Global, args: GenerateArgs) -> anyhow::Result<()> {
    let name = args
        .batch
        .unwrap_or_else(|| format!("SYNTH_{}_{}", args.parties, args.seed));
    let mut spec = Spec::new(name, args.parties, args.seed);
    spec.format = match args.format {
        BatchFormat::Document => Format::Document,
        BatchFormat::Ndjson => Format::Ndjson,
        BatchFormat::Csv => Format::Csv,
    };
    if let Some(mean) = args.transactions_per_party {
        spec.transactions_per_party = mean;
    }
    if let Some(mean) = args.edges_per_party {
        spec.edges_per_party = mean;
    }
    let folder = match args.out {
        Some(folder) => folder,
        None => fleet_config::landing(global)?,
    };
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let task = tokio::task::spawn_blocking(move || kycc_synthetic::write(&spec, &folder));
    let written = task.await.context("generating the batch was cut short")??;
    if global.json {
        show_json::print(&json!({
            "source": written.source, "labels": written.labels, "parties": written.parties,
            "accounts": written.accounts, "transactions": written.transactions,
            "relationships": written.relationships, "defaults": written.defaults, "bytes": written.bytes,
        }));
        return Ok(());
    }
    outln!(
        "{} parties, {} accounts, {} transactions, {} relationships, {} defaults ({})",
        text::count(written.parties),
        text::count(written.accounts),
        text::count(written.transactions),
        text::count(written.relationships),
        text::count(written.defaults),
        text::bytes(written.bytes),
    );
    outln!("  batch   {}", written.source.display());
    outln!("  labels  {}", written.labels.display());
    Ok(())
}

async fn list(global: &Global, limit: u32) -> anyhow::Result<()> {
    let connection = Connection::for_reading(global).await?;
    let request = ListBatchesRequest {
        page_size: i32::try_from(limit).unwrap_or(i32::MAX),
        page_token: String::new(),
    };
    let answer = connection
        .ingestion()
        .list_batches(request)
        .await
        .map_err(ClientError::from);
    connection.close().await;
    let batches = answer?.into_inner().batches;
    if global.json {
        show_json::print(&json!({"batches": batches.iter().map(as_json).collect::<Vec<_>>()}));
        return Ok(());
    }
    let mut table = Table::new(&[
        "batch",
        "as of",
        "#parties",
        "#transactions",
        "#relationships",
        "#rejected",
        "#future",
        "ingested",
    ]);
    for batch in &batches {
        let rows = |name: &str| {
            let found = batch
                .datasets
                .iter()
                .find(|version| version.dataset == name);
            found.map_or("-".into(), |version| text::count(version.rows))
        };
        table.row([
            batch.batch_id.clone(),
            text::time(batch.as_of_time),
            rows("parties"),
            rows("transactions"),
            rows("relationships"),
            counted(batch, "records_rejected"),
            counted(batch, "records_future"),
            text::time(batch.create_time),
        ]);
    }
    table.print("no batch has been ingested yet");
    Ok(())
}

/// A count that ingestion told of the batch.
fn counted(batch: &Batch, label: &str) -> String {
    let entry = batch.metadata.iter().find(|entry| entry.label == label);
    let count = entry.and_then(|entry| show_json::metadata_value(entry).as_u64());
    count.map_or("-".into(), text::count)
}

async fn show(global: &Global, batch_id: String) -> anyhow::Result<()> {
    let connection = Connection::for_reading(global).await?;
    let answer = connection
        .ingestion()
        .get_batch(GetBatchRequest { batch_id })
        .await
        .map_err(ClientError::from);
    connection.close().await;
    let batch = answer?
        .into_inner()
        .batch
        .context("the server answered without a batch")?;
    if global.json {
        show_json::print(&as_json(&batch));
        return Ok(());
    }
    outln!(
        "{} as of {}, ingested {}",
        batch.batch_id,
        text::time(batch.as_of_time),
        text::time(batch.create_time)
    );
    let mut table = Table::new(&["dataset", "#rows", "#size", "digest"]);
    for version in &batch.datasets {
        table.row([
            version.dataset.clone(),
            text::count(version.rows),
            text::bytes(version.bytes),
            version.digest.get(..16).unwrap_or_default().to_owned(),
        ]);
    }
    table.print("no datasets");
    let mut table = Table::new(&["metadata", "value"]);
    for entry in &batch.metadata {
        table.row([
            entry.label.clone(),
            show_json::metadata_value(entry).to_string(),
        ]);
    }
    table.print("");
    Ok(())
}

fn as_json(batch: &Batch) -> Value {
    json!({
        "batch_id": batch.batch_id,
        "version_key": batch.version_key,
        "run_id": batch.run_id,
        "create_time": text::rfc3339(batch.create_time),
        "as_of_time": text::rfc3339(batch.as_of_time),
        "datasets": show_json::datasets(&batch.datasets),
        "metadata": show_json::metadata(&batch.metadata),
    })
}
