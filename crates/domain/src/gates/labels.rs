//! PROVENANCE and CIRCULAR_LABELS: what the labels are worth that judge and that taught.

use super::input::{GateInput, Observed};
use super::{Gate, GateResult, GateStatus};

const MIN_OBSERVED_PER_CLASS: usize = 50;
const MIN_OBSERVED_SHARE: f64 = 0.5;
/// Exactly half must not fail by the rounding of two sums of weights.
const ROUNDING: f64 = 1e-12;

pub(super) fn provenance(input: &GateInput<'_>, observed: &Observed) -> GateResult {
    let (goods, bads) = (observed.goods(), observed.bads());
    let set_aside = input.holdout.rows() - observed.rows.len();
    let aside = match set_aside {
        0 => String::new(),
        rows => format!("; {rows} rows with the scorecard's own labels are set aside"),
    };
    let enough = goods.min(bads) >= MIN_OBSERVED_PER_CLASS;
    let result = if enough {
        GateResult::new(
            Gate::Provenance,
            GateStatus::Pass,
            format!("judged on {bads} observed bads and {goods} observed goods{aside}"),
        )
    } else {
        GateResult::new(
            Gate::Provenance,
            GateStatus::Fail,
            format!(
                "the holdout has {bads} observed bads and {goods} observed goods; {MIN_OBSERVED_PER_CLASS} of each are needed{aside}"
            ),
        )
    };
    result
        .number("holdout_rows", input.holdout.rows() as f64)
        .number("observed_rows", observed.rows.len() as f64)
        .number("observed_bads", bads as f64)
        .number("observed_goods", goods as f64)
        .number("set_aside_rows", set_aside as f64)
        .number("required_per_class", MIN_OBSERVED_PER_CLASS as f64)
}

pub(super) fn circular(input: &GateInput<'_>) -> GateResult {
    let weight = |row: usize| input.train_weights.map_or(1.0, |w| w[row]);
    let (mut observed, mut total) = (0.0, 0.0);
    for (row, is_observed) in input.train_observed.iter().enumerate() {
        total += weight(row);
        if *is_observed {
            observed += weight(row);
        }
    }
    let share = if total > 0.0 { observed / total } else { 0.0 };
    let percent = 100.0 * share;
    let result = if share >= MIN_OBSERVED_SHARE - ROUNDING {
        GateResult::new(
            Gate::CircularLabels,
            GateStatus::Pass,
            format!("{percent:.1} % of the training weight are observed outcomes"),
        )
    } else {
        GateResult::new(
            Gate::CircularLabels,
            GateStatus::Fail,
            format!(
                "{percent:.1} % of the training weight are observed outcomes; below half, the model learns the scorecard's own opinion back"
            ),
        )
    };
    result
        .number("observed_weight", observed)
        .number("total_weight", total)
        .number("observed_share", share)
        .number("required_share", MIN_OBSERVED_SHARE)
}
