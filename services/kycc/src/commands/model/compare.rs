//! `kycc model compare`: two models side by side.

use kycc_proto::models::v1::Model;
use serde_json::{Map, Value, json};

use super::{METRICS, fetch};
use crate::args::Global;
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

pub(super) async fn run(
    connection: &Connection,
    global: &Global,
    first: String,
    second: String,
) -> anyhow::Result<()> {
    let first = fetch(connection, first).await?;
    let second = fetch(connection, second).await?;
    if global.json {
        show_json::print(&as_json(&first, &second));
    } else {
        print(&first, &second);
    }
    Ok(())
}

/// A line of the table of facts: its name, and what it says of a model.
type Fact = (&'static str, fn(&Model) -> String);

fn print(first: &Model, second: &Model) {
    let mut table = Table::new(&["", "first", "second"]);
    let facts: [Fact; 6] = [
        ("model", |model| model.model_id.clone()),
        ("status", |model| model.status.clone()),
        ("batches", |model| model.batch_ids.join(" ")),
        ("training rows (bad)", |model| {
            rows(model.train_rows, model.train_bads)
        }),
        ("holdout rows (bad)", |model| {
            rows(model.holdout_rows, model.holdout_bads)
        }),
        ("weight observed", |model| {
            format!("{:.0} %", 100.0 * model.observed_share)
        }),
    ];
    for (name, of) in facts {
        table.row([name.into(), of(first), of(second)]);
    }
    table.print("");
    outln!("");

    let numbers = |of: &str| Table::new(&[of, "#first", "#second", "#difference"]);
    let mut table = numbers("metric");
    for (name, title) in METRICS {
        let (a, b) = (metric(first, name), metric(second, name));
        if a.or(b).is_some() {
            table.row([title.into(), shown(a), shown(b), shown(difference(a, b))]);
        }
    }
    table.print("neither has been judged on a holdout");
    if (&first.batch_ids, first.holdout_rows) != (&second.batch_ids, second.holdout_rows) {
        outln!("each is judged on its own holdout, so the metrics differ by the rows as well");
    }
    outln!("");

    let mut table = numbers("coefficient");
    table.row([
        "(intercept)".into(),
        shown(Some(first.intercept)),
        shown(Some(second.intercept)),
        shown(Some(second.intercept - first.intercept)),
    ]);
    for feature in features(first, second) {
        let (a, b) = (coefficient(first, feature), coefficient(second, feature));
        table.row([
            feature.to_owned(),
            shown(a),
            shown(b),
            shown(difference(a, b)),
        ]);
    }
    table.print("");
}

fn rows(all: u64, bad: u64) -> String {
    format!("{} ({})", text::count(all), text::count(bad))
}

fn metric(model: &Model, name: &str) -> Option<f64> {
    model.metrics.get(name).copied()
}

fn coefficient(model: &Model, feature: &str) -> Option<f64> {
    let mut parts = model.coefficients.iter();
    parts
        .find(|part| part.feature == feature)
        .map(|part| part.value)
}

/// Those of the first in its order, then what only the second has.
fn features<'a>(first: &'a Model, second: &'a Model) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for part in first.coefficients.iter().chain(&second.coefficients) {
        if !names.contains(&part.feature.as_str()) {
            names.push(&part.feature);
        }
    }
    names
}

fn difference(first: Option<f64>, second: Option<f64>) -> Option<f64> {
    Some(second? - first?)
}

fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{value:.4}"))
}

fn as_json(first: &Model, second: &Model) -> Value {
    let pair = |a: Option<f64>, b: Option<f64>| json!({"first": a, "second": b, "difference": difference(a, b)});
    let metrics = METRICS.iter().map(|(name, _)| {
        let both = pair(metric(first, name), metric(second, name));
        ((*name).to_owned(), both)
    });
    let coefficients = features(first, second).into_iter().map(|feature| {
        let mut both = pair(coefficient(first, feature), coefficient(second, feature));
        both["feature"] = json!(feature);
        both
    });
    json!({
        "first": first.model_id,
        "second": second.model_id,
        "metrics": metrics.collect::<Map<_, _>>(),
        "intercept": pair(Some(first.intercept), Some(second.intercept)),
        "coefficients": coefficients.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_proto::models::v1::Coefficient;

    fn model(parts: &[(&str, f64)]) -> Model {
        let part = |&(feature, value): &(&str, f64)| Coefficient {
            feature: feature.into(),
            value,
            ..Coefficient::default()
        };
        Model {
            coefficients: parts.iter().map(part).collect(),
            ..Model::default()
        }
    }

    #[test]
    fn a_factor_that_only_one_model_has_stands_alone() {
        let found = as_json(
            &model(&[("a", 1.0), ("b", 2.0)]),
            &model(&[("c", 5.0), ("b", 2.5)]),
        );
        let parts = found["coefficients"].as_array().unwrap();
        let names: Vec<_> = parts
            .iter()
            .map(|part| part["feature"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(parts[0]["difference"], Value::Null);
        assert_eq!(parts[1]["difference"], 0.5);
        assert_eq!(parts[2]["first"], Value::Null);
    }
}
