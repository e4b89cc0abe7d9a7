//! CALIBRATION and RANK_ORDER: whether the challenger's probabilities and bands keep their word.

use super::impact::Impact;
use super::input::{GateInput, Observed};
use super::{Gate, GateResult, GateStatus};
use crate::card::{PdLink, Scorecard};
use crate::metrics::brier;

/// Observed over expected bads.
const RATIO: std::ops::RangeInclusive<f64> = 0.8..=1.25;
/// How much worse than the champion's the Brier score may be.
const BRIER_MARGIN: f64 = 0.002;

pub(super) fn calibration(input: &GateInput<'_>, observed: &Observed) -> GateResult {
    let gate = Gate::Calibration;
    if let Some(why) = observed.missing() {
        return GateResult::not_evaluated(gate, why);
    }
    let Some(link) = input.challenger.content().link else {
        return GateResult::not_evaluated(gate, "the draft has no PD link");
    };
    let Some(champion_link) = input.champion_link else {
        return GateResult::not_evaluated(gate, "the champion has no PD link to compare with");
    };
    let pd = probabilities(link, input.challenger, &observed.challenger_raw);
    let champion_pd = probabilities(champion_link, input.champion, &observed.champion_raw);
    let (own, champion) = match (
        brier(&pd, &observed.bad),
        brier(&champion_pd, &observed.bad),
    ) {
        (Ok(own), Ok(champion)) => (own, champion),
        (Err(error), _) | (_, Err(error)) => {
            return GateResult::not_evaluated(gate, error.to_string());
        }
    };
    let expected: f64 = pd.iter().sum();
    let bads = observed.bads() as f64;
    let ratio = bads / expected;
    if !ratio.is_finite() {
        let why = format!("the draft expects {expected:e} bads, too few to hold {bads} against");
        return GateResult::not_evaluated(gate, why);
    }
    let status = if RATIO.contains(&ratio) && own <= champion + BRIER_MARGIN {
        GateStatus::Pass
    } else {
        GateStatus::Fail
    };
    let message = format!(
        "{bads} bads observed, {expected:.1} expected (ratio {ratio:.2}, allowed {:.2} to {:.2}); Brier {own:.4} against the champion's {champion:.4}",
        RATIO.start(),
        RATIO.end()
    );
    GateResult::new(gate, status, message)
        .number("observed", bads)
        .number("expected", expected)
        .number("observed_over_expected", ratio)
        .number("brier", own)
        .number("champion_brier", champion)
        .number("parties", observed.bad.len() as f64)
        .number("allowed_ratio_from", *RATIO.start())
        .number("allowed_ratio_to", *RATIO.end())
        .number("allowed_brier_above_champion", BRIER_MARGIN)
}

pub(super) fn rank_order(impact: &Impact, observed: &Observed) -> GateResult {
    let gate = Gate::RankOrder;
    if let Some(why) = observed.missing() {
        return GateResult::not_evaluated(gate, why);
    }
    // Worst band first; bands without parties say nothing.
    let filled: Vec<(&str, usize, usize)> = impact
        .challenger_bands
        .iter()
        .zip(&impact.challenger_by_band)
        .rev()
        .filter(|(_, group)| group.parties > 0)
        .map(|(name, group)| (name.as_str(), group.parties, group.bads.unwrap_or_default()))
        .collect();
    let broken: Vec<String> = filled
        .windows(2)
        .filter(|pair| {
            // Compared as fractions of whole numbers: equal rates are equal.
            let ((_, n, bads), (_, better_n, better_bads)) = (pair[0], pair[1]);
            better_bads * n > bads * better_n
        })
        .map(|pair| {
            format!(
                "band {} has a higher bad rate than {} below it",
                pair[1].0, pair[0].0
            )
        })
        .collect();
    let (status, message) = if !broken.is_empty() {
        (GateStatus::Fail, broken.join("; "))
    } else if let [(only, ..)] = filled[..] {
        (
            GateStatus::Warn,
            format!("every party is in band {only}, so that there is no order to judge"),
        )
    } else {
        (
            GateStatus::Pass,
            "the bad rate does not rise from band to better band".to_owned(),
        )
    };
    filled.iter().rev().fold(
        GateResult::new(gate, status, message),
        |result, (band, parties, bads)| {
            result
                .number(format!("parties.{band}"), *parties as f64)
                .number(format!("bads.{band}"), *bads as f64)
                .number(format!("bad_rate.{band}"), *bads as f64 / *parties as f64)
        },
    )
}

fn probabilities(link: PdLink, card: &Scorecard, raw: &[f64]) -> Vec<f64> {
    let base = card.scaling().base();
    raw.iter().map(|raw| link.probability(*raw, base)).collect()
}
