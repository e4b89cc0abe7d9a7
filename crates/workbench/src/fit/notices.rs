//! What a person should know of a fit before trusting it.

use kycc_domain::binning::LEAKAGE_IV;
use kycc_domain::vif::Vif;

use super::Coefficient;
use crate::printable::{listed, printable};
use crate::sample::Sample;
use crate::significant::exact;

/// `pd` is of every row of the table.
pub(super) fn of(sample: &Sample<'_>, pd: &[f64], coefficients: &[Coefficient]) -> Vec<String> {
    let mut notices = sample.notices.clone();
    if separates(sample, pd) {
        notices.push(
            "the features tell every good training row from every bad one, so that only the penalty keeps the \
             coefficients finite: look for a feature that is only known after the outcome"
                .into(),
        );
    }
    let collinear: Vec<&str> = coefficients
        .iter()
        .filter(|part| part.vif == Vif::Collinear)
        .map(|part| part.feature.as_str())
        .collect();
    if !collinear.is_empty() {
        notices.push(format!(
            "collinear: {} determine one another wholly, so their coefficients cannot be told apart; leave one out",
            listed(collinear)
        ));
    }
    for (index, part) in coefficients.iter().enumerate() {
        notices.extend(of_feature(sample, index, part));
    }
    notices
}

fn of_feature(sample: &Sample<'_>, index: usize, part: &Coefficient) -> Vec<String> {
    let name = printable(&part.feature);
    let mut notices = Vec::new();
    if part.sd == 0.0 {
        notices.push(if part.information_value.is_none() && varies(sample, index) {
            format!(
                "the values of {name} vary too little to compute with, so its coefficient is 0; give it in another unit"
            )
        } else {
            format!("{name} is constant in the training rows, so its coefficient is 0")
        });
    } else if part.coefficient == 0.0 && part.sign != "free" {
        notices.push(format!("{name} is held at 0 by its sign bound"));
    }
    if let Some(fill) = part.imputed {
        notices.push(format!("missing values of {name} count as {}", exact(fill)));
    }
    if part.information_value.is_some_and(|iv| iv > LEAKAGE_IV) {
        notices.push(format!(
            "{name} has an information value above {LEAKAGE_IV}; check that it is known before the outcome"
        ));
    }
    notices
}

/// Every bad training row has a higher PD than every good one.
fn separates(sample: &Sample<'_>, pd: &[f64]) -> bool {
    let (mut highest_good, mut lowest_bad) = (f64::NEG_INFINITY, f64::INFINITY);
    for &row in &sample.train {
        if sample.weights.as_ref().is_some_and(|w| w[row] == 0.0) {
            continue;
        }
        if sample.bad[row] {
            lowest_bad = lowest_bad.min(pd[row]);
        } else {
            highest_good = highest_good.max(pd[row]);
        }
    }
    highest_good < lowest_bad
}

/// Whether two training rows that weigh something differ in a feature, missing values apart.
fn varies(sample: &Sample<'_>, feature: usize) -> bool {
    let weighs = |row: &&usize| sample.weights.as_ref().is_none_or(|w| w[**row] > 0.0);
    let values = sample.train.iter().filter(weighs);
    let mut values = values
        .map(|row| sample.columns[feature][*row])
        .filter(|v| !v.is_nan());
    let first = values.next();
    values.any(|value| Some(value) != first)
}
