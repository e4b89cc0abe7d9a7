//! One page of HTML that holds everything: no script, no font, image or style from elsewhere, fit for print.

mod chart;
mod curves;
mod tables;

use kycc_domain::binning::{Binning, BinningOptions, bin_columns};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::bins::bin_points;
use crate::card::{Card, CardReport};
use crate::error::WorkbenchError;
use crate::fit::{FitReport, Fitted};

const STYLE: &str = include_str!("page/style.css");

/// The page of a fit and the card made of it. `binning` says how features are binned that the fit has not binned.
pub fn page(
    fitted: &Fitted<'_>,
    card: &CardReport,
    binning: &BinningOptions,
) -> Result<String, WorkbenchError> {
    let report = &fitted.report;
    let title = format!("{} of {}", report.target, report.file);
    let binned = binned(fitted, binning)?;
    let curves = curves::all(fitted)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · kycc workbench" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p { (summary(report)) }
                @if !card.notices.is_empty() {
                    ul.notices { @for notice in &card.notices { li { (notice) } } }
                }
                h2 { "How good it is" }
                (tables::metrics(report))
                p.note { "Intervals are of 95 %: DeLong's for AUC and Gini, bootstrap for the others." }
                (curves)
                h2 { "Model" }
                (tables::coefficients(report))
                p.note {
                    "Coefficients are of the logit of bad, per standard deviation"
                    @if report.inputs == "woe" { " of the weight of evidence" }
                    ". VIF above 5 says that a feature repeats others."
                }
                h2 { "Card" }
                (tables::card(card))
                h2 { "Features" }
                p.note { "Weight of evidence is ln(%good/%bad) of the training rows; bins hold their lower bound." }
                @for (index, (feature, binning)) in report.coefficients.iter().zip(&binned).enumerate() {
                    section {
                        h3 { (feature.feature) }
                        p.note {
                            "Information value " (format!("{:.4}", binning.information_value))
                            @if binning.warns_of_leakage() {
                                ", which is suspiciously high: check that the feature is known before the outcome"
                            }
                            "."
                        }
                        (tables::bins(binning, points(&card.card, index).as_deref()))
                    }
                }
            }
        }
    };
    Ok(page.into_string())
}

fn summary(report: &FitReport) -> Markup {
    html! {
        "Logistic regression of " (report.target) " on " (report.coefficients.len())
        @if report.inputs == "woe" { " features as weights of evidence" } @else { " features" }
        ", "
        @match report.c {
            Some(c) => { "L2 penalty with C = " (c) },
            None => { "without a penalty" },
        }
        @if report.class_weight == "balanced" { ", classes balanced" }
        "; " (report.train.rows) " rows trained it"
        @if let Some(holdout) = &report.holdout { ", " (holdout.rows) " were held out" }
        "."
    }
}

/// The fit's own bins, or those of each feature's training values.
fn binned(fitted: &Fitted<'_>, options: &BinningOptions) -> Result<Vec<Binning>, WorkbenchError> {
    let sample = &fitted.sample;
    if let Some(bins) = &fitted.design.bins {
        return Ok(bins.iter().map(|named| named.binning.clone()).collect());
    }
    let train: Vec<Vec<f64>> = (0..sample.columns.len())
        .map(|j| sample.train_column(j))
        .collect();
    let columns: Vec<&[f64]> = train.iter().map(Vec::as_slice).collect();
    let bad = sample.bad_of(&sample.train);
    bin_columns(&columns, &bad, sample.train_weights().as_deref(), options)
        .into_iter()
        .zip(&sample.features)
        .map(|(binning, name)| {
            binning.map_err(|cause| WorkbenchError::Bin {
                file: sample.table.source().to_owned(),
                column: name.clone(),
                cause,
            })
        })
        .collect()
}

fn points(card: &Card, feature: usize) -> Option<Vec<f64>> {
    match card {
        Card::Linear(_) => None,
        Card::Woe(card) => card.factors.get(feature).map(bin_points),
    }
}
