//! FLOOR and CHAMPION: how well the challenger ranks, alone and against the active card.

use super::input::Observed;
use super::{Gate, GateResult, GateStatus};
use crate::metrics::{delong, paired_delong};

const MIN_AUC: f64 = 0.60;
const SIGNIFICANT: f64 = 0.05;
/// How much AUC a challenger may lose at worst and still count as not inferior.
const MARGIN: f64 = -0.01;

pub(super) fn floor(observed: &Observed) -> GateResult {
    let gate = Gate::Floor;
    if let Some(why) = observed.missing() {
        return GateResult::not_evaluated(gate, why);
    }
    let estimate = match delong(&risk(&observed.challenger_raw), &observed.bad) {
        Ok(estimate) => estimate,
        Err(error) => return GateResult::not_evaluated(gate, error.to_string()),
    };
    let (status, relation) = if estimate.lower >= MIN_AUC {
        (GateStatus::Pass, "reaches")
    } else {
        (GateStatus::Fail, "is below")
    };
    let message = format!(
        "AUC {:.3}; its lower 95 % bound {:.3} {relation} {MIN_AUC:.2}",
        estimate.auc, estimate.lower
    );
    GateResult::new(gate, status, message)
        .number("auc", estimate.auc)
        .number("lower_95", estimate.lower)
        .number("upper_95", estimate.upper)
        .number("standard_error", estimate.variance.sqrt())
        .number("required_lower", MIN_AUC)
        .number("bads", observed.bads() as f64)
        .number("goods", observed.goods() as f64)
}

pub(super) fn champion(observed: &Observed) -> GateResult {
    let gate = Gate::Champion;
    if let Some(why) = observed.missing() {
        return GateResult::not_evaluated(gate, why);
    }
    let champion = risk(&observed.champion_raw);
    let paired = match paired_delong(&champion, &risk(&observed.challenger_raw), &observed.bad) {
        Ok(paired) => paired,
        Err(error) => return GateResult::not_evaluated(gate, error.to_string()),
    };
    let (status, verdict) = if paired.delta > 0.0 && paired.p_value < SIGNIFICANT {
        (GateStatus::Pass, "superior")
    } else if paired.lower > MARGIN {
        (
            GateStatus::NeedsNote,
            "not inferior, but not superior either (say why it is worth the change)",
        )
    } else {
        (GateStatus::Fail, "neither superior nor non-inferior")
    };
    let message = format!(
        "{verdict}: AUC {:.3} against {:.3}, difference {:+.4} (95 %: {:+.4} to {:+.4}, {})",
        paired.challenger,
        paired.champion,
        paired.delta,
        paired.lower,
        paired.upper,
        p_value(paired.p_value)
    );
    GateResult::new(gate, status, message)
        .number("champion_auc", paired.champion)
        .number("challenger_auc", paired.challenger)
        .number("delta", paired.delta)
        .number("lower_95", paired.lower)
        .number("upper_95", paired.upper)
        .number("standard_error", paired.variance.sqrt())
        .number("p_value", paired.p_value)
        .number("significant_below", SIGNIFICANT)
        .number("inferior_at", MARGIN)
        .number("bads", observed.bads() as f64)
        .number("goods", observed.goods() as f64)
}

/// Never 0: chance is never ruled out.
fn p_value(p: f64) -> String {
    if p < 0.0001 {
        "p < 0.0001".into()
    } else if p < 0.001 {
        format!("p = {p:.4}")
    } else {
        format!("p = {p:.3}")
    }
}

/// Fewer points are more likely bad.
fn risk(raw: &[f64]) -> Vec<f64> {
    raw.iter().map(|raw| -raw).collect()
}

#[cfg(test)]
mod tests {
    use super::p_value;

    #[test]
    fn a_tiny_p_value_is_not_shown_as_0() {
        assert_eq!(p_value(1e-30), "p < 0.0001");
        assert_eq!(p_value(0.000_4), "p = 0.0004");
        assert_eq!(p_value(0.517_2), "p = 0.517");
    }
}
