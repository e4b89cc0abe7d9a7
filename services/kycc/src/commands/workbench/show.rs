//! The answers as tables for people.

mod card;

use kycc_workbench::{
    BinReport, CALLED_BAD, Comparison, FitReport, Measure, Measures, ScoreReport, StabilityReport,
    Vif, called_bad, fixed, named_bins, p_value, significant,
};

use crate::show::{Table, text};

pub(super) use card::card;

pub(super) fn notices(notices: &[String]) {
    for notice in notices {
        outln!("note: {notice}");
    }
}

fn optional(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| "-".into(), |value| fixed(value, places))
}

/// `0.7312 (0.7101 to 0.7523)`.
fn figure(measure: &Measure) -> String {
    match (measure.lower, measure.upper) {
        (Some(lower), Some(upper)) => {
            let (value, lower, upper) = (fixed(measure.value, 4), fixed(lower, 4), fixed(upper, 4));
            format!("{value} ({lower} to {upper})")
        }
        _ => fixed(measure.value, 4),
    }
}

pub(super) fn fit(report: &FitReport) {
    outln!(
        "{} of {}: {} rows train, {} bad",
        report.target,
        report.file,
        text::count(report.train.rows as u64),
        text::count(report.train.bads as u64)
    );
    let mut table = Table::new(&[
        "feature",
        "#mean",
        "#sd",
        "#coefficient",
        "#std. error",
        "#z",
        "#p",
        "#per unit",
        "#VIF",
        "sign",
    ]);
    table.row([
        "(intercept)".into(),
        String::new(),
        String::new(),
        fixed(report.intercept.standardised, 5),
        optional(report.intercept.standard_error, 5),
        String::new(),
        String::new(),
        significant(report.intercept.per_unit),
        String::new(),
        String::new(),
    ]);
    for part in &report.coefficients {
        table.row([
            part.feature.clone(),
            significant(part.mean),
            significant(part.sd),
            fixed(part.coefficient, 5),
            optional(part.standard_error, 5),
            optional(part.z, 2),
            part.p_value.map_or_else(|| "-".into(), p_value),
            significant(part.per_unit),
            match part.vif {
                Vif::Value(value) => fixed(value, 2),
                Vif::Collinear => "inf".into(),
                Vif::Constant => "-".into(),
            },
            part.sign.into(),
        ]);
    }
    table.print("no coefficients");
    outln!("");
    measures(&report.train, report.holdout.as_ref());
    notices(&report.notices);
}

/// Metrics in rows, training and holdout side by side.
pub(super) fn measures(train: &Measures, holdout: Option<&Measures>) {
    let first = rows(train);
    match holdout {
        None => {
            let mut table = Table::new(&["metric", "value"]);
            for (name, value) in first {
                table.row([name.into(), value]);
            }
            table.print("");
        }
        Some(holdout) => {
            let mut table = Table::new(&["metric", "training", "holdout"]);
            for ((name, value), (_, held)) in first.into_iter().zip(rows(holdout)) {
                table.row([name.into(), value, held]);
            }
            table.print("");
        }
    }
}

/// Names and figures; those of probabilities only where there are any.
fn rows(measures: &Measures) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("rows", text::count(measures.rows as u64)),
        (
            "bad",
            format!(
                "{} ({:.2} %)",
                text::count(measures.bads as u64),
                100.0 * measures.bad_rate
            ),
        ),
        ("AUC", figure(&measures.auc)),
        ("Gini", figure(&measures.gini)),
        ("KS", figure(&measures.ks)),
        ("average precision", figure(&measures.average_precision)),
        ("lift of the worst tenth", fixed(measures.lift_top_tenth, 4)),
    ];
    if let Some(pd) = &measures.probability {
        rows.extend([
            ("mean PD", fixed(pd.mean_pd, 4)),
            ("Brier", figure(&pd.brier)),
            ("log-loss", figure(&pd.log_loss)),
            (
                "calibration slope",
                optional(pd.calibration.map(|line| line.slope), 4),
            ),
            (
                "calibration intercept",
                optional(pd.calibration.map(|line| line.intercept), 4),
            ),
            (
                "expected calibration error",
                fixed(pd.expected_calibration_error, 4),
            ),
        ]);
    }
    rows.extend(
        CALLED_BAD
            .into_iter()
            .zip(called_bad(measures).into_iter().flatten()),
    );
    rows
}

pub(super) fn metrics(report: &ScoreReport) {
    outln!("{} of {}", report.score, report.file);
    measures(&report.metrics, None);
    notices(&report.notices);
}

pub(super) fn comparison(comparison: &Comparison) {
    outln!(
        "{}: {} rows, {} bad",
        comparison.file,
        text::count(comparison.rows as u64),
        text::count(comparison.bads as u64)
    );
    let mut table = Table::new(&["score", "AUC"]);
    for side in [&comparison.a, &comparison.b] {
        table.row([side.score.clone(), figure(&side.auc)]);
    }
    table.row([
        format!("{} minus {}", comparison.b.score, comparison.a.score),
        figure(&comparison.delta),
    ]);
    table.print("");
    outln!(
        "standard error {:.5}, p of no difference {}",
        comparison.standard_error,
        p_value(comparison.p_value)
    );
    notices(&comparison.notices);
}

pub(super) fn stability(report: &StabilityReport) {
    let mut table = Table::new(&["bin", "#expected", "#actual", "#expected %", "#actual %"]);
    for (name, cell) in report.named_cells() {
        table.row([
            name,
            text::count(cell.expected_rows),
            text::count(cell.actual_rows),
            fixed(100.0 * cell.expected, 2),
            fixed(100.0 * cell.actual, 2),
        ]);
    }
    table.print("");
    outln!(
        "PSI of {} is {:.5}: {} (chance alone stays under {:.5} in 95 of 100 cases)",
        report.column,
        report.psi,
        report.reading.text(),
        report.no_shift_bound
    );
    notices(&report.notices);
}

pub(super) fn bins(report: &BinReport) {
    let mut table = Table::new(&[
        "bin",
        "#rows",
        "#good",
        "#bad",
        "#bad rate",
        "#share",
        "#WoE",
        "#IV",
    ]);
    for (name, bin) in named_bins(&report.binning) {
        table.row([
            name,
            text::count(bin.rows),
            text::decimal(bin.goods, 4),
            text::decimal(bin.bads, 4),
            fixed(bin.bad_rate, 4),
            fixed(bin.share, 4),
            fixed(bin.woe, 4),
            fixed(bin.iv, 4),
        ]);
    }
    table.print("");
    outln!(
        "information value of {} is {:.4}{}",
        report.column,
        report.binning.information_value,
        if report.leakage_suspected {
            ", suspiciously high: check that it is known before the outcome"
        } else {
            ""
        }
    );
    notices(&report.notices);
}
