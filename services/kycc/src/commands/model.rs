//! `kycc model …`.

mod bins;
mod compare;
mod curves;
mod show;

use anyhow::Context;
use kycc_proto::models::v1::{GetModelRequest, ListModelsRequest, Model};
use kycc_rpc::ClientError;
use serde_json::json;

use crate::args::{Global, ModelCommand};
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

pub(crate) use show::print;

/// Metrics in the order and by the names that people know them by.
const METRICS: [(&str, &str); 10] = [
    ("auc", "AUC"),
    ("gini", "Gini"),
    ("ks", "KS"),
    ("average_precision", "average precision"),
    ("lift_top_tenth", "lift of the worst tenth"),
    ("brier", "Brier"),
    ("log_loss", "log-loss"),
    ("calibration_slope", "calibration slope"),
    ("calibration_intercept", "calibration intercept"),
    ("expected_calibration_error", "calibration error (ECE)"),
];

pub(crate) async fn run(global: &Global, command: ModelCommand) -> anyhow::Result<()> {
    let connection = Connection::for_reading(global).await?;
    let outcome = match command {
        ModelCommand::List { limit } => list(&connection, global, limit).await,
        ModelCommand::Show { model } => show::run(&connection, global, model).await,
        ModelCommand::Curves { model } => curves::run(&connection, global, model).await,
        ModelCommand::Bins { model, feature } => {
            bins::run(&connection, global, model, feature).await
        }
        ModelCommand::Compare { first, second } => {
            compare::run(&connection, global, first, second).await
        }
    };
    connection.close().await;
    outcome
}

async fn list(connection: &Connection, global: &Global, limit: u32) -> anyhow::Result<()> {
    let request = ListModelsRequest {
        page_size: i32::try_from(limit).unwrap_or(i32::MAX),
        page_token: String::new(),
    };
    let answer = connection
        .models()
        .list_models(request)
        .await
        .map_err(ClientError::from)?
        .into_inner();
    if global.json {
        let models: Vec<_> = answer.models.iter().map(show::as_json).collect();
        show_json::print(&json!({"models": models}));
        return Ok(());
    }
    let mut table = Table::new(&[
        "model",
        "status",
        "batches",
        "#train",
        "#bads",
        "#AUC",
        "#KS",
        "#warnings",
        "created",
    ]);
    for model in &answer.models {
        let metric = |name: &str| {
            model
                .metrics
                .get(name)
                .map_or("-".into(), |value| format!("{value:.4}"))
        };
        table.row([
            model.model_id.clone(),
            model.status.clone(),
            model.batch_ids.join(" "),
            text::count(model.train_rows),
            text::count(model.train_bads),
            metric("auc"),
            metric("ks"),
            model.warnings.len().to_string(),
            text::time(model.create_time),
        ]);
    }
    table.print("no model has been trained yet");
    Ok(())
}

/// One model; the newest where `model_id` is empty.
pub(crate) async fn fetch(connection: &Connection, model_id: String) -> anyhow::Result<Model> {
    let answer = connection
        .models()
        .get_model(GetModelRequest { model_id })
        .await
        .map_err(ClientError::from)?;
    answer
        .into_inner()
        .model
        .context("the server answered without a model")
}
