//! STABILITY: whether scores and factors of the holdout are spread as in training.

use super::input::{GateInput, Observed};
use super::{Gate, GateResult, GateStatus};
use crate::psi::{SHIFT_FAIL, SHIFT_WARN, Shift, psi};

pub(super) fn stability(input: &GateInput<'_>, observed: &Observed) -> GateResult {
    let gate = Gate::Stability;
    if let Some(why) = observed.missing() {
        return GateResult::not_evaluated(gate, why);
    }
    let held = input.holdout.select(&observed.rows);
    let columns = input.holdout.columns();
    let mut samples = vec![(
        "score".to_owned(),
        input.train_raw.to_vec(),
        observed.challenger_raw.clone(),
    )];
    for (j, factor) in input.challenger.factors().iter().enumerate() {
        let actual = held.chunks_exact(columns).map(|row| row[j]).collect();
        samples.push((factor.feature.clone(), input.train.column(j), actual));
    }
    let mut numbers = Vec::new();
    let (mut warned, mut failed) = (Vec::new(), Vec::new());
    for (name, expected, actual) in samples {
        let index = match psi(&expected, &actual) {
            Ok(index) => index,
            Err(error) => return GateResult::not_evaluated(gate, format!("{name}: {error}")),
        };
        let finding = format!("{name} (PSI {:.3})", index.value);
        match index.shift() {
            Shift::Fail => failed.push(finding),
            Shift::Warn => warned.push(finding),
            Shift::Pass => {}
        }
        numbers.push((name, index.value, index.no_shift_bound));
    }
    let status = match (failed.is_empty(), warned.is_empty()) {
        (false, _) => GateStatus::Fail,
        (true, false) => GateStatus::Warn,
        (true, true) => GateStatus::Pass,
    };
    let findings: Vec<String> = [("shifted", &failed), ("shifting", &warned)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", names.join(", ")))
        .collect();
    let message = if findings.is_empty() {
        "score and factors are spread as in training".to_owned()
    } else {
        findings.join("; ")
    };
    let result = GateResult::new(gate, status, message)
        .number("train_rows", input.train.rows() as f64)
        .number("holdout_rows", observed.rows.len() as f64)
        .number("warn_from", SHIFT_WARN)
        .number("fail_from", SHIFT_FAIL);
    numbers
        .into_iter()
        .fold(result, |result, (name, value, bound)| {
            result
                .number(format!("psi.{name}"), value)
                .number(format!("no_shift_bound.{name}"), bound)
        })
}
