//! The tables of the page.

use kycc_domain::binning::Binning;
use kycc_domain::vif::Vif;
use maud::{Markup, html};

use crate::bins::named_bins;
use crate::card::{Card, CardReport};
use crate::fit::FitReport;
use crate::measures::{CALLED_BAD, Measure, Measures, called_bad};
use crate::significant::{fixed, p_value, significant};

/// A figure, and its interval under it.
fn figure(measure: &Measure) -> Markup {
    html! {
        (fixed(measure.value, 4))
        @if let (Some(lower), Some(upper)) = (measure.lower, measure.upper) {
            " " small { (fixed(lower, 4)) " to " (fixed(upper, 4)) }
        }
    }
}

fn optional(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| "–".into(), |value| fixed(value, places))
}

type Shown = fn(&Measures) -> Option<Markup>;

/// Metrics in rows, training and holdout side by side.
pub(super) fn metrics(report: &FitReport) -> Markup {
    let rows: [(&str, Shown); 15] = [
        ("rows", |m| Some(html! { (m.rows) })),
        ("bad", |m| {
            Some(html! { (m.bads) " " small { (format!("{:.2} %", 100.0 * m.bad_rate)) } })
        }),
        ("AUC", |m| Some(figure(&m.auc))),
        ("Gini", |m| Some(figure(&m.gini))),
        ("KS", |m| Some(figure(&m.ks))),
        ("average precision", |m| Some(figure(&m.average_precision))),
        ("lift of the worst tenth", |m| {
            Some(html! { (fixed(m.lift_top_tenth, 4)) })
        }),
        ("mean PD", |m| {
            Some(html! { (fixed(m.probability.as_ref()?.mean_pd, 4)) })
        }),
        ("Brier", |m| Some(figure(&m.probability.as_ref()?.brier))),
        ("log-loss", |m| {
            Some(figure(&m.probability.as_ref()?.log_loss))
        }),
        ("calibration slope", |m| {
            let line = m.probability.as_ref()?.calibration?;
            Some(html! { (fixed(line.slope, 4)) })
        }),
        ("calibration intercept", |m| {
            let line = m.probability.as_ref()?.calibration?;
            Some(html! { (fixed(line.intercept, 4)) })
        }),
        ("expected calibration error", |m| {
            let error = m.probability.as_ref()?.expected_calibration_error;
            Some(html! { (fixed(error, 4)) })
        }),
        (CALLED_BAD[0], |m| Some(html! { (called_bad(m)?[0]) })),
        (CALLED_BAD[1], |m| Some(html! { (called_bad(m)?[1]) })),
    ];
    let parts: Vec<&Measures> = std::iter::once(&report.train)
        .chain(&report.holdout)
        .collect();
    html! {
        table {
            thead { tr {
                th { "metric" }
                th.n { "training rows" }
                @if report.holdout.is_some() { th.n { "holdout" } }
            } }
            tbody {
                @for (name, shown) in rows {
                    tr {
                        td { (name) }
                        @for part in &parts {
                            td.n { (shown(part).unwrap_or_else(|| html! { "–" })) }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn coefficients(report: &FitReport) -> Markup {
    html! {
        table {
            thead { tr {
                th { "feature" } th.n { "mean" } th.n { "sd" } th.n { "coefficient" } th.n { "standard error" }
                th.n { "z" } th.n { "p" } th.n { "per unit" } th.n { "VIF" } th { "sign" }
            } }
            tbody {
                tr {
                    td { "(intercept)" } td {} td {}
                    td.n { (fixed(report.intercept.standardised, 5)) }
                    td.n { (optional(report.intercept.standard_error, 5)) }
                    td {} td {}
                    td.n { (significant(report.intercept.per_unit)) }
                    td {} td {}
                }
                @for part in &report.coefficients {
                    tr {
                        td { (part.feature) }
                        td.n { (significant(part.mean)) }
                        td.n { (significant(part.sd)) }
                        td.n { (fixed(part.coefficient, 5)) }
                        td.n { (optional(part.standard_error, 5)) }
                        td.n { (optional(part.z, 2)) }
                        td.n { (part.p_value.map_or_else(|| "–".into(), p_value)) }
                        td.n { (significant(part.per_unit)) }
                        td.n { (vif(part.vif)) }
                        td { (part.sign) }
                    }
                }
            }
        }
    }
}

fn vif(vif: Vif) -> String {
    match vif {
        Vif::Value(value) => fixed(value, 2),
        Vif::Collinear => "∞".into(),
        Vif::Constant => "–".into(),
    }
}

/// The bins of one feature; `points` are those of a card, in the order of the bins.
pub(super) fn bins(binning: &Binning, points: Option<&[f64]>) -> Markup {
    let worst = binning.bins.iter().map(|bin| bin.bad_rate);
    let worst = worst.fold(f64::MIN_POSITIVE, f64::max);
    html! {
        table.bins {
            thead { tr {
                th { "bin" } th.n { "rows" } th.n { "good" } th.n { "bad" } th.n { "bad rate" } th {}
                th.n { "WoE" } th.n { "IV" }
                @if points.is_some() { th.n { "points" } }
            } }
            tbody {
                @for (index, (name, bin)) in named_bins(binning).into_iter().enumerate() {
                    tr {
                        td { (name) }
                        td.n { (bin.rows) }
                        td.n { (significant(bin.goods)) }
                        td.n { (significant(bin.bads)) }
                        td.n { (format!("{:.2} %", 100.0 * bin.bad_rate)) }
                        td { svg.bar viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
                            rect width=(format!("{:.1}", (100.0 * bin.bad_rate / worst).min(100.0))) height="10" {}
                        } }
                        td.n { (fixed(bin.woe, 4)) }
                        td.n { (fixed(bin.iv, 4)) }
                        @if let Some(points) = points { td.n { (optional(points.get(index).copied(), 1)) } }
                    }
                }
            }
        }
    }
}

/// What the card awards, for a card of straight lines; that of bins is told with the bins.
pub(super) fn card(report: &CardReport) -> Markup {
    html! {
        p {
            "Score = " (significant(report.card.base_points()))
            " + the points of every feature. PD = 1/(1 + exp((score − " (significant(report.link.offset)) ")/"
            (significant(report.link.factor)) "))."
        }
        @if let Card::Linear(card) = &report.card {
            table {
                thead { tr {
                    th { "feature" } th.n { "0 points at" } th.n { "most points at" } th.n { "most points" }
                    th.n { "points per unit" }
                } }
                tbody {
                    @for factor in &card.factors {
                        tr {
                            td { (factor.feature) }
                            td.n { (significant(factor.worst)) }
                            td.n { (significant(factor.best)) }
                            td.n { (fixed(factor.max_points, 1)) }
                            td.n { (significant(factor.points_per_unit)) }
                        }
                    }
                }
            }
        }
        h3 { "Scores of all rows by tenths" }
        table {
            thead { tr {
                th { "score" } th.n { "rows" } th.n { "bad" } th.n { "bad rate" } th.n { "mean PD" }
            } }
            tbody {
                @for band in &report.scores.bands {
                    tr {
                        td { (range(band.low, band.high)) }
                        td.n { (band.rows) }
                        td.n { (band.bads) }
                        td.n { (optional(band.bad_rate, 4)) }
                        td.n { (optional(band.mean_pd, 4)) }
                    }
                }
            }
        }
    }
}

fn range(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (None, Some(high)) => format!("up to {}", fixed(high, 1)),
        (Some(low), Some(high)) => format!("{} to {}", fixed(low, 1), fixed(high, 1)),
        (Some(low), None) => format!("above {}", fixed(low, 1)),
        (None, None) => "all".into(),
    }
}
