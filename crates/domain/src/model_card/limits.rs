//! What a card must not be used for, worked out from its facts: nobody has to remember to write it down.

use serde::{Deserialize, Serialize};

use super::ModelCardInput;
use crate::gates::{GateReport, GateStatus, Verdict};
use crate::split::SplitKind;

/// Bads per coefficient below which coefficients are more noise than finding (Peduzzi et al. 1996).
const EVENTS_PER_COEFFICIENT: usize = 10;
/// Holdout rows of the rarer class below which intervals are too wide to plan with; the gates' own minimum is half.
const SMALL_CLASS: usize = 100;
/// A variance inflated this much makes a coefficient's sign a matter of chance.
const HIGH_VIF: f64 = 10.0;

/// One limit. The code is stable, the text is for reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub code: String,
    pub text: String,
}

/// Gravest first.
pub(super) fn of(input: &ModelCardInput<'_>) -> Vec<Limit> {
    let mut limits = Vec::new();
    let mut add = |code: &str, text: String| {
        limits.push(Limit {
            code: code.to_owned(),
            text,
        });
    };
    verdict(input.gates, &mut add);
    labels(input, &mut add);
    sizes(input, &mut add);
    holdout(input, &mut add);
    model(input, &mut add);
    card(input, &mut add);
    limits
}

fn verdict(report: Option<&GateReport>, add: &mut impl FnMut(&str, String)) {
    let Some(report) = report else {
        add(
            "NOT_JUDGED",
            "No gate has judged this card. It must not decide anything.".to_owned(),
        );
        return;
    };
    let named = |wanted: fn(GateStatus) -> bool| {
        let gates = report.gates.iter().filter(|g| wanted(g.status));
        gates.map(|g| g.gate.name()).collect::<Vec<_>>().join(", ")
    };
    if report.bootstrap {
        add(
            "BOOTSTRAP",
            "No bad outcome was observed in the holdout: every figure says how well the card repeats the scorecard, \
             not how well it foresees defaults. It may be looked at, never activated."
                .to_owned(),
        );
    }
    if report.verdict == Verdict::Failed {
        let against = named(|status| !status.passes());
        add("GATES_FAILED", format!("Not to be activated: {against}."));
    }
    let wanting = named(|status| status == GateStatus::NeedsNote);
    if !wanting.is_empty() {
        add(
            "NOTES_WANTED",
            format!("Whoever approves it must write a note on {wanting}."),
        );
    }
    let warned = named(|status| status == GateStatus::Warn);
    if !warned.is_empty() {
        add("WARNINGS", format!("Passed with a warning: {warned}."));
    }
}

fn labels(input: &ModelCardInput<'_>, add: &mut impl FnMut(&str, String)) {
    let scorecard = 1.0 - input.data.train.observed_share;
    if input.model.is_some() && scorecard > 0.0 {
        add(
            "SCORECARD_LABELS",
            format!(
                "{:.1} % of the training weight are labels that the scorecard gave itself; to that extent the model \
                 has learned the scorecard's opinion.",
                100.0 * scorecard
            ),
        );
    }
}

fn sizes(input: &ModelCardInput<'_>, add: &mut impl FnMut(&str, String)) {
    let (train, holdout) = (input.data.train, input.data.holdout);
    if let Some(model) = &input.model {
        let needed = EVENTS_PER_COEFFICIENT * model.free();
        if train.bads < needed {
            add(
                "FEW_TRAINING_BADS",
                format!(
                    "{} bads for {} coefficients; below {needed} their sizes are uncertain.",
                    train.bads,
                    model.free()
                ),
            );
        }
    }
    let rarer = holdout.bads.min(holdout.rows.saturating_sub(holdout.bads));
    if rarer < SMALL_CLASS {
        add(
            "SMALL_HOLDOUT",
            format!(
                "The holdout has {} bads in {} rows; below {SMALL_CLASS} of a class no figure on it is precise. Read \
                 the intervals, not the values.",
                holdout.bads, holdout.rows
            ),
        );
    }
}

fn holdout(input: &ModelCardInput<'_>, add: &mut impl FnMut(&str, String)) {
    match input.data.split {
        Some(SplitKind::Stratified) => add(
            "SAME_TIME_HOLDOUT",
            "Holdout and training are of the same as-of: nothing here says how the card holds in later times."
                .to_owned(),
        ),
        Some(SplitKind::OutOfTime { .. }) => {}
        None => add(
            "UNKNOWN_HOLDOUT",
            "How the holdout was set apart is not known.".to_owned(),
        ),
    }
    if let [only] = &input.data.batches[..] {
        add(
            "ONE_BATCH",
            format!(
                "All rows are of batch {only}. Parties of another kind, country or time have not been looked at."
            ),
        );
    }
}

fn model(input: &ModelCardInput<'_>, add: &mut impl FnMut(&str, String)) {
    let Some(model) = &input.model else {
        return;
    };
    if !model.converged {
        add(
            "NOT_CONVERGED",
            "The fit stopped before it had converged.".to_owned(),
        );
    }
    if model.kappa.is_some() {
        add(
            "SHRUNK_TO_EXPERT",
            "The fit pulls to the expert's weights: coefficients and their standard errors are not what the data alone \
             say."
                .to_owned(),
        );
    }
    let high: Vec<&str> = model
        .coefficients
        .iter()
        .filter(|c| c.vif.is_some_and(|vif| vif > HIGH_VIF))
        .map(|c| c.feature.as_str())
        .collect();
    if !high.is_empty() {
        add(
            "COLLINEAR",
            format!(
                "Variance inflation above {HIGH_VIF}: {}. Their weights are not to be read one by one.",
                high.join(", ")
            ),
        );
    }
}

fn card(input: &ModelCardInput<'_>, add: &mut impl FnMut(&str, String)) {
    let content = input.card.content();
    if content.link.is_none() {
        let why = match &input.missing_link {
            Some(why) => format!(" ({why})"),
            None => String::new(),
        };
        add(
            "NO_PD",
            format!(
                "Scores have no probability of default{why}: no pricing, provisioning or limit may be derived from them."
            ),
        );
    }
    let zero: Vec<&str> = content
        .factors
        .iter()
        .filter(|factor| factor.weight == 0.0)
        .map(|factor| factor.feature.as_str())
        .collect();
    if !zero.is_empty() {
        add(
            "ZERO_WEIGHT",
            format!("Named but without any points: {}.", zero.join(", ")),
        );
    }
    let compiled = input.card.compile();
    let (low, high) = compiled.final_range();
    if compiled.least() < f64::from(low) || compiled.greatest() > f64::from(high) {
        add(
            "SCORES_BEYOND_BANDS",
            format!(
                "Raw scores can run from {:.0} to {:.0}; final scores end at {low} and {high}, where they no longer \
                 tell parties apart.",
                compiled.least(),
                compiled.greatest()
            ),
        );
    }
    if content.reference.is_none() {
        add(
            "NO_REFERENCE",
            "No reference population is frozen with it: reasons compare with the batch being scored, so that they \
             change with it."
                .to_owned(),
        );
    }
    if !input.drift_baseline {
        add(
            "NO_DRIFT_BASELINE",
            "No training distribution is frozen with it: drift of later batches cannot be measured against it."
                .to_owned(),
        );
    }
}
