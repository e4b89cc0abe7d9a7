//! `kycc model …`.

use anyhow::Context;
use kycc_proto::models::v1::{GetModelRequest, ListModelsRequest, Model};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use crate::args::{Global, ModelCommand};
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

pub(crate) async fn run(global: &Global, command: ModelCommand) -> anyhow::Result<()> {
    let connection = Connection::for_reading(global).await?;
    let outcome = match command {
        ModelCommand::List { limit } => list(&connection, global, limit).await,
        ModelCommand::Show { model } => show(&connection, global, model).await,
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
        show_json::print(&json!({"models": answer.models.iter().map(as_json).collect::<Vec<_>>()}));
        return Ok(());
    }
    let mut table = Table::new(&[
        "model", "status", "batches", "#train", "#bads", "#AUC", "#KS", "created",
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

async fn show(
    connection: &Connection,
    global: &Global,
    model: Option<String>,
) -> anyhow::Result<()> {
    let model = fetch(connection, model.unwrap_or_default()).await?;
    if global.json {
        show_json::print(&as_json(&model));
    } else {
        print(&model);
        print_coefficients(&model);
    }
    Ok(())
}

/// What it learned from and how good it is.
pub(crate) fn print(model: &Model) {
    outln!("model {}  {}", model.model_id, model.status);
    if !model.note.is_empty() {
        outln!("  {}", model.note);
    }
    outln!(
        "  trained on {} parties ({} bad), held out {} ({} bad), {:.0} % of the weight observed, batches: {}",
        text::count(model.train_rows),
        text::count(model.train_bads),
        text::count(model.holdout_rows),
        text::count(model.holdout_bads),
        100.0 * model.observed_share,
        model.batch_ids.join(", "),
    );
    const SHOWN: [(&str, &str); 8] = [
        ("auc", "AUC"),
        ("gini", "Gini"),
        ("ks", "KS"),
        ("average_precision", "average precision"),
        ("brier", "Brier"),
        ("log_loss", "log-loss"),
        ("calibration_slope", "calibration slope"),
        ("calibration_intercept", "calibration intercept"),
    ];
    for (name, title) in SHOWN {
        if let Some(value) = model.metrics.get(name) {
            let interval = match (
                model.metrics.get(&format!("{name}_lower")),
                model.metrics.get(&format!("{name}_upper")),
            ) {
                (Some(lower), Some(upper)) => format!("  (95 %: {lower:.4} to {upper:.4})"),
                _ => String::new(),
            };
            outln!("  {title:<22} {value:>9.4}{interval}");
        }
    }
}

fn print_coefficients(model: &Model) {
    let mut table = Table::new(&[
        "feature",
        "#coefficient",
        "#std. error",
        "#mean",
        "#std. deviation",
    ]);
    for part in &model.coefficients {
        table.row([
            part.feature.clone(),
            format!("{:.5}", part.value),
            if part.standard_error > 0.0 {
                format!("{:.5}", part.standard_error)
            } else {
                "-".into()
            },
            format!("{:.4}", part.mean),
            format!("{:.4}", part.standard_deviation),
        ]);
    }
    outln!("  intercept {:.5}", model.intercept);
    table.print("  no coefficients");
}

fn as_json(model: &Model) -> Value {
    let coefficients = model.coefficients.iter().map(|part| {
        json!({
            "feature": part.feature, "value": part.value, "standard_error": part.standard_error,
            "mean": part.mean, "standard_deviation": part.standard_deviation,
        })
    });
    json!({
        "model_id": model.model_id,
        "status": model.status,
        "note": model.note,
        "create_time": text::rfc3339(model.create_time),
        "run_id": model.run_id,
        "batch_ids": model.batch_ids,
        "train_rows": model.train_rows,
        "holdout_rows": model.holdout_rows,
        "train_bads": model.train_bads,
        "holdout_bads": model.holdout_bads,
        "observed_share": model.observed_share,
        "intercept": model.intercept,
        "coefficients": coefficients.collect::<Vec<_>>(),
        "metrics": model.metrics,
        "config": show_json::parsed(&model.config_json),
        "code_version": model.code_version,
    })
}
