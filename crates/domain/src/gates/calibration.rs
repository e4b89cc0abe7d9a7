//! CALIBRATION and RANK_ORDER: whether the challenger's probabilities and bands keep their word.

use super::input::{GateInput, Observed};
use super::{Gate, GateResult, GateStatus};
use crate::card::{PdLink, Scorecard, round_half_up};
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
}

pub(super) fn rank_order(challenger: &Scorecard, observed: &Observed) -> GateResult {
    let gate = Gate::RankOrder;
    if let Some(why) = observed.missing() {
        return GateResult::not_evaluated(gate, why);
    }
    let bands = challenger.bands();
    let mut counts = vec![(0u64, 0u64); bands.as_slice().len()];
    for (raw, bad) in observed.challenger_raw.iter().zip(&observed.bad) {
        let cell = &mut counts[bands.index_of(round_half_up(*raw))];
        cell.0 += 1;
        cell.1 += u64::from(*bad);
    }
    // Worst band first; bands without parties say nothing.
    let filled: Vec<usize> = (0..counts.len())
        .rev()
        .filter(|&i| counts[i].0 > 0)
        .collect();
    let broken = filled.windows(2).find(|pair| {
        let ((n, bads), (better_n, better_bads)) = (counts[pair[0]], counts[pair[1]]);
        better_bads * n > bads * better_n
    });
    let (status, message) = match broken {
        Some(pair) => (
            GateStatus::Fail,
            format!(
                "band {} has a higher bad rate than {} below it",
                bands.as_slice()[pair[1]].name,
                bands.as_slice()[pair[0]].name
            ),
        ),
        None => (
            GateStatus::Pass,
            "the bad rate does not rise from band to better band".to_owned(),
        ),
    };
    let result = GateResult::new(gate, status, message);
    bands
        .as_slice()
        .iter()
        .zip(&counts)
        .filter(|(_, (n, _))| *n > 0)
        .fold(result, |result, (band, (n, bads))| {
            result
                .number(format!("parties.{}", band.name), *n as f64)
                .number(format!("bad_rate.{}", band.name), *bads as f64 / *n as f64)
        })
}

fn probabilities(link: PdLink, card: &Scorecard, raw: &[f64]) -> Vec<f64> {
    let base = card.scaling().base();
    raw.iter().map(|raw| link.probability(*raw, base)).collect()
}
