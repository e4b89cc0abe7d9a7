//! STABILITY: whether scores and factors of the holdout are spread as in training.

use super::input::{GateInput, Observed};
use super::{Gate, GateResult, GateStatus};
use crate::psi::{Psi, psi};

const WARN: f64 = 0.10;
const FAIL: f64 = 0.25;

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
        match severity(&index) {
            GateStatus::Fail => failed.push(finding),
            GateStatus::Warn => warned.push(finding),
            _ => {}
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
        .number("warn_from", WARN)
        .number("fail_from", FAIL);
    numbers
        .into_iter()
        .fold(result, |result, (name, value, bound)| {
            result
                .number(format!("psi.{name}"), value)
                .number(format!("no_shift_bound.{name}"), bound)
        })
}

/// A shift that chance explains is none, however large: small samples shift by chance.
fn severity(index: &Psi) -> GateStatus {
    if index.value <= index.no_shift_bound || index.value < WARN {
        GateStatus::Pass
    } else if index.value >= FAIL {
        GateStatus::Fail
    } else {
        GateStatus::Warn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_counts_only_beyond_chance() {
        let at = |value, no_shift_bound| {
            severity(&Psi {
                value,
                no_shift_bound,
                edges: vec![],
                expected: vec![],
                actual: vec![],
            })
        };
        assert_eq!(at(0.099, 0.01), GateStatus::Pass);
        assert_eq!(at(0.10, 0.01), GateStatus::Warn);
        assert_eq!(at(0.25, 0.01), GateStatus::Fail);
        assert_eq!(at(0.30, 0.30), GateStatus::Pass);
        assert_eq!(at(0.30, 0.29), GateStatus::Fail);
    }
}
