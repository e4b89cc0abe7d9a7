//! What the model learned, and what the card makes of it: coefficients, metrics, points, scale.

use super::table::{Table, UNKNOWN, count, facts, figure, one_line, or_unknown, percent};
use super::{ModelCard, PointsRow};
use crate::card::{PdLink, Scaling};
use crate::catalogue::{Direction, FEATURES};
use crate::scaling::Method;

pub(super) fn model(card: &ModelCard) -> String {
    let Some(model) = &card.model else {
        return "People chose the weights; no model was fitted.".to_owned();
    };
    let pull = match model.kappa {
        Some(kappa) => format!("{} times the expert's weights", figure(kappa)),
        None => "0".to_owned(),
    };
    let mut out = format!(
        "Logistic regression of bad on the factors as the card scales them, penalty (C = {}) towards {pull}; {} after {} \
         iterations. Coefficients are per standard deviation; a negative one says less risk with more of the factor.\n",
        figure(model.c),
        if model.converged {
            "converged"
        } else {
            "not converged"
        },
        model.iterations
    );
    if !model.note.is_empty() {
        out.push_str(&format!("\n> {}\n", one_line(&model.note)));
    }
    let mut table = Table::new(&[
        "<Factor",
        "Mean",
        "SD",
        "Coefficient",
        "SE",
        "Over 0 to 1",
        "VIF",
        "<Sign",
    ]);
    table.row([
        "(intercept)".to_owned(),
        String::new(),
        String::new(),
        figure(model.intercept),
        or_unknown(model.intercept_standard_error.map(figure)),
    ]);
    for of in &model.coefficients {
        table.row([
            of.feature.clone(),
            figure(of.mean),
            figure(of.sd),
            figure(of.standardised),
            or_unknown(of.standard_error.map(figure)),
            figure(of.over_range),
            or_unknown(of.vif.map(figure)),
            sign(&of.feature, of.standardised).to_owned(),
        ]);
    }
    out.push('\n');
    out.push_str(&table.render());
    out
}

/// Whether a coefficient of risk says what the catalogue declares of creditworthiness.
fn sign(feature: &str, coefficient: f64) -> &'static str {
    let Some(spec) = FEATURES.iter().find(|spec| spec.name == feature) else {
        return UNKNOWN;
    };
    let declared = match spec.direction {
        Direction::HigherIsBetter => -1.0,
        Direction::LowerIsBetter => 1.0,
    };
    match coefficient * declared {
        product if product > 0.0 => "as declared",
        product if product < 0.0 => "against",
        _ => "none",
    }
}

pub(super) fn metrics(card: &ModelCard) -> String {
    if card.metrics.is_empty() {
        return "None: they need both classes in the holdout.".to_owned();
    }
    let mut table = Table::new(&["<Metric", "Value", "95 % from", "to"]);
    for metric in &card.metrics {
        table.row([
            metric.name.clone(),
            figure(metric.value),
            metric.lower.map(figure).unwrap_or_default(),
            metric.upper.map(figure).unwrap_or_default(),
        ]);
    }
    table.render()
}

pub(super) fn points(card: &ModelCard) -> String {
    let compared = card.identity.champion_version.is_some();
    let mut columns = vec!["<Factor", "<Scaled by", "Weight", "Share", "Most points"];
    if compared {
        columns.extend(["Champion's share", "Change", "Champion's most points"]);
    }
    let mut table = Table::new(&columns);
    for row in &card.points {
        table.row(points_row(row));
    }
    let mut out = "A share is the part of 100 that the factor's weight makes up, with its sign; a factor with a negative \
                   weight awards its points for less of it.\n\n"
        .to_owned();
    out.push_str(&table.render());
    out
}

fn points_row(row: &PointsRow) -> Vec<String> {
    let was = row.champion_share.unwrap_or_default();
    vec![
        row.feature.clone(),
        row.method.map_or_else(|| "dropped".to_owned(), method),
        format!("{:.2}", row.weight),
        format!("{:.1}", row.share),
        format!("{:.1}", row.max_points),
        row.champion_share
            .map_or_else(|| "new".to_owned(), |share| format!("{share:.1}")),
        format!("{:+.1}", row.share - was),
        or_unknown(row.champion_max_points.map(|points| format!("{points:.1}"))),
    ]
}

fn method(method: Method) -> String {
    match method {
        Method::Flag => "flag".to_owned(),
        Method::Percent => "percent".to_owned(),
        Method::Cap(limit) => format!("cap {}", figure(limit)),
        Method::Log(limit) => format!("log {}", figure(limit)),
    }
}

pub(super) fn scale(card: &ModelCard) -> String {
    let scale = &card.scale;
    let kind = match scale.scaling {
        Scaling::MinMax(range) => format!("min-max, {} to {}", range.base, range.max),
        Scaling::Pdo(pdo) => format!(
            "{} points double the odds; {} are odds of {}:1",
            figure(pdo.anchor.pdo),
            pdo.anchor.base,
            figure(pdo.anchor.odds)
        ),
    };
    let pd = match (&scale.link, &scale.missing_link) {
        (Some(link), _) => format!(
            "1 / (1 + exp(-z)), z = {} {} {} per point above {}",
            figure(link.intercept),
            if link.slope < 0.0 { "-" } else { "+" },
            figure(link.slope.abs()),
            scale.scaling.base()
        ),
        (None, Some(why)) => format!("none: {why}"),
        (None, None) => "none".to_owned(),
    };
    let mut out = facts(vec![
        ("Scaling", Some(kind)),
        (
            "Raw scores",
            Some(format!(
                "{} without any point, {} with all",
                figure(scale.least),
                figure(scale.greatest)
            )),
        ),
        ("Cutoff", Some(scale.cutoff.to_string())),
        ("PD", Some(pd)),
    ]);
    let impact = card.gates.as_ref().map(|report| &report.impact);
    let mut bands = Table::new(&[
        "<Band", "From", "To", "PD from", "PD to", "Parties", "Bad rate",
    ]);
    for (index, band) in scale.bands.as_slice().iter().enumerate() {
        let group = impact.and_then(|impact| impact.challenger_by_band.get(index));
        // The better end has the lower PD.
        let pd = |score: i32| {
            let of =
                |link: PdLink| percent(link.probability(f64::from(score), scale.scaling.base()));
            or_unknown(scale.link.map(of))
        };
        bands.row([
            band.name.clone(),
            band.min.to_string(),
            band.max.to_string(),
            pd(band.max),
            pd(band.min),
            or_unknown(group.map(|group| count(group.parties))),
            or_unknown(group.and_then(|group| group.bad_rate).map(percent)),
        ]);
    }
    out.push('\n');
    out.push_str(&bands.render());
    out
}
