//! `kycc model show`: what a model learned, how good it is, and what to look at before believing it.

use kycc_proto::models::v1::{Coefficient, Model};
use serde_json::{Value, json};

use super::{METRICS, fetch};
use crate::args::Global;
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

/// An information value above this is marked, as the server warns of it.
const LEAKAGE_IV: f64 = 0.5;

pub(super) async fn run(
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
    for warning in &model.warnings {
        outln!("  warning: {warning}");
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
    for (name, title) in METRICS {
        if let Some(value) = model.metrics.get(name) {
            let interval = model.intervals.get(name).map_or_else(String::new, |found| {
                format!(
                    "  (95 %: {:.4} to {:.4}, {})",
                    found.lower,
                    found.upper,
                    method(&found.method)
                )
            });
            outln!("  {title:<23} {value:>9.4}{interval}");
        }
    }
}

/// Methods are named after people or things, and the former deserve their capitals.
fn method(name: &str) -> &str {
    match name {
        "delong" => "DeLong",
        other => other,
    }
}

fn print_coefficients(model: &Model) {
    let mut table = Table::new(&[
        "feature",
        "#coefficient",
        "#std. error",
        "sign",
        "#VIF",
        "#IV",
        "#mean",
        "#std. deviation",
    ]);
    for part in &model.coefficients {
        table.row([
            part.feature.clone(),
            format!("{:.5}", part.value),
            positive(part.standard_error, 5),
            sign(part).into(),
            inflation(part),
            worth(part.information_value),
            format!("{:.4}", part.mean),
            format!("{:.4}", part.standard_deviation),
        ]);
    }
    outln!("  intercept {:.5}", model.intercept);
    table.print("  no coefficients");
}

/// Against the direction that the catalogue declares.
fn sign(part: &Coefficient) -> &'static str {
    if part.value == 0.0 {
        "-"
    } else if part.sign_as_declared {
        "ok"
    } else {
        "against"
    }
}

fn inflation(part: &Coefficient) -> String {
    if part.collinear {
        "inf".into()
    } else {
        positive(part.variance_inflation, 2)
    }
}

/// A mark where it is suspiciously high.
fn worth(information_value: f64) -> String {
    let mark = if information_value > LEAKAGE_IV {
        " !"
    } else {
        ""
    };
    positive(information_value, 4) + mark
}

/// 0 stands for "there is none".
fn positive(value: f64, places: usize) -> String {
    if value > 0.0 {
        format!("{value:.places$}")
    } else {
        "-".into()
    }
}

pub(super) fn as_json(model: &Model) -> Value {
    let coefficients = model.coefficients.iter().map(|part| {
        json!({
            "feature": part.feature, "value": part.value, "standard_error": part.standard_error,
            "mean": part.mean, "standard_deviation": part.standard_deviation,
            "variance_inflation": part.variance_inflation, "collinear": part.collinear,
            "sign_as_declared": part.sign_as_declared, "information_value": part.information_value,
        })
    });
    let intervals = model.intervals.iter().map(|(name, found)| {
        let interval = json!({"lower": found.lower, "upper": found.upper, "method": found.method});
        (name.clone(), interval)
    });
    json!({
        "model_id": model.model_id,
        "status": model.status,
        "note": model.note,
        "warnings": model.warnings,
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
        "intervals": intervals.collect::<serde_json::Map<_, _>>(),
        "config": show_json::parsed(&model.config_json),
        "code_version": model.code_version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_none_of_is_a_dash_and_what_is_suspicious_has_a_mark() {
        assert_eq!(worth(0.0), "-");
        assert_eq!(worth(0.12345), "0.1235");
        assert_eq!(worth(0.75), "0.7500 !");
        let mut part = Coefficient {
            collinear: true,
            ..Coefficient::default()
        };
        assert_eq!((inflation(&part).as_str(), sign(&part)), ("inf", "-"));
        part.collinear = false;
        part.value = 1.0;
        assert_eq!((inflation(&part).as_str(), sign(&part)), ("-", "against"));
    }
}
