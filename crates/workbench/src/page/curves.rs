//! The four curves, of the holdout where there is one and of the training rows beside it.

use kycc_domain::metrics::{CalibrationBin, Curves};
use maud::{Markup, html};

use super::chart::{Chart, Line};
use crate::error::WorkbenchError;
use crate::fit::Fitted;

/// The curves of one set of rows, and how its lines look.
struct Part {
    name: &'static str,
    style: &'static str,
    curves: Curves,
}

pub(super) fn all(fitted: &Fitted<'_>) -> Result<Markup, WorkbenchError> {
    let sample = &fitted.sample;
    let part = |name, style, rows: &[usize]| -> Result<Part, WorkbenchError> {
        let pd: Vec<f64> = rows.iter().map(|row| fitted.pd[*row]).collect();
        let curves =
            Curves::of(&pd, &sample.bad_of(rows)).map_err(|cause| WorkbenchError::Metric {
                file: sample.table.source().to_owned(),
                cause,
            })?;
        Ok(Part {
            name,
            style,
            curves,
        })
    };
    let train = part("training rows", "second", &sample.train)?;
    let parts = if sample.holdout.is_empty() {
        vec![Part {
            style: "first",
            ..train
        }]
    } else {
        vec![train, part("holdout", "first", &sample.holdout)?]
    };
    Ok(html! {
        div.charts {
            (roc(&parts))
            @if let Some(judged) = parts.last() { (ks(judged)) }
            (calibration(&parts))
            (lift(&parts))
        }
    })
}

fn diagonal(to: f64) -> Line {
    Line {
        name: String::new(),
        style: "rule",
        points: vec![(0.0, 0.0), (to, to)],
        dots: None,
    }
}

fn lines(parts: &[Part], of: impl Fn(&Curves) -> Vec<(f64, f64)>) -> Vec<Line> {
    parts
        .iter()
        .map(|part| Line {
            name: part.name.to_owned(),
            style: part.style,
            points: of(&part.curves),
            dots: None,
        })
        .collect()
}

fn roc(parts: &[Part]) -> Markup {
    let mut drawn = vec![diagonal(1.0)];
    drawn.extend(lines(parts, |curves| {
        let points = curves.roc.iter();
        points
            .map(|p| (p.false_bad_rate, p.true_bad_rate))
            .collect()
    }));
    Chart {
        title: "ROC",
        x_label: "share of the good called bad",
        y_label: "share of the bad called bad",
        x: (0.0, 1.0),
        y: (0.0, 1.0),
        lines: drawn,
    }
    .draw()
}

fn ks(part: &Part) -> Markup {
    let points = &part.curves.ks;
    let line = |name: &str, style, of: fn(&kycc_domain::metrics::KsPoint) -> f64| Line {
        name: name.to_owned(),
        style,
        points: points.iter().map(|p| (p.score, of(p))).collect(),
        dots: None,
    };
    let at = &part.curves.ks_at;
    let widest = Line {
        name: format!("KS {:.4} at PD {:.4}", at.gap(), at.score),
        style: "rule",
        points: vec![(at.score, at.bad_share), (at.score, at.good_share)],
        dots: None,
    };
    let low = points.first().map_or(0.0, |p| p.score);
    let high = points.last().map_or(1.0, |p| p.score);
    Chart {
        title: &format!("Kolmogorov–Smirnov, {}", part.name),
        x_label: "PD",
        y_label: "share at or below",
        x: (low, high),
        y: (0.0, 1.0),
        lines: vec![
            line("bad", "first", |p| p.bad_share),
            line("good", "second", |p| p.good_share),
            widest,
        ],
    }
    .draw()
}

fn calibration(parts: &[Part]) -> Markup {
    let filled = |curves: &Curves| -> Vec<(f64, f64, usize)> {
        let point = |bin: &CalibrationBin| Some((bin.mean_pd?, bin.bad_rate?, bin.rows));
        curves.calibration.iter().filter_map(point).collect()
    };
    let greatest = parts
        .iter()
        .flat_map(|part| filled(&part.curves))
        .fold(0.0f64, |most, (pd, rate, _)| most.max(pd).max(rate));
    let end = (greatest * 10.0).ceil() / 10.0;
    let dots = parts.iter().map(|part| {
        let filled = filled(&part.curves);
        let rows: usize = filled.iter().map(|(.., rows)| rows).sum();
        let shares = filled.iter().map(|(.., here)| *here as f64 / rows as f64);
        Line {
            name: part.name.to_owned(),
            style: part.style,
            dots: Some(shares.collect()),
            points: filled.iter().map(|(pd, rate, _)| (*pd, *rate)).collect(),
        }
    });
    Chart {
        title: "Calibration",
        x_label: "mean PD of the bin (dots by its rows)",
        y_label: "bad rate",
        x: (0.0, end),
        y: (0.0, end),
        lines: std::iter::once(diagonal(end)).chain(dots).collect(),
    }
    .draw()
}

fn lift(parts: &[Part]) -> Markup {
    let drawn = lines(parts, |curves| {
        curves.lift.iter().map(|p| (p.share, p.lift)).collect()
    });
    let greatest = drawn
        .iter()
        .flat_map(|line| &line.points)
        .fold(1.0f64, |most, (_, lift)| most.max(*lift));
    let level = Line {
        name: String::new(),
        style: "rule",
        points: vec![(0.0, 1.0), (1.0, 1.0)],
        dots: None,
    };
    Chart {
        title: "Lift",
        x_label: "share of the rows, worst first",
        y_label: "bad rate over that of all",
        x: (0.0, 1.0),
        y: (0.0, greatest * 1.05),
        lines: std::iter::once(level).chain(drawn).collect(),
    }
    .draw()
}
