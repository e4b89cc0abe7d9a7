//! The nine gates between a draft scorecard and a person's approval, evaluated as data on one observed holdout.

mod calibration;
mod discrimination;
mod impact;
mod input;
mod labels;
mod stability;
mod tables;
mod weights;

use serde::{Deserialize, Serialize};

pub use impact::Impact;
pub use input::{GateError, GateInput};
pub use tables::{CUTOFF_STEP, CutoffRow, Group, SwapSet};

use input::Observed;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Gate {
    /// The holdout holds enough observed outcomes.
    Provenance,
    /// The model did not learn the scorecard's own opinion back.
    CircularLabels,
    /// The card ranks better than a coin, surely.
    Floor,
    /// The card ranks no worse than the active one.
    Champion,
    /// Scores and factors are spread alike in training and holdout.
    Stability,
    /// What changes for whom.
    Impact,
    /// No weight contradicts its declaration or jumps.
    Weights,
    /// Predicted and observed bad rates agree.
    Calibration,
    /// Better bands have no more bads.
    RankOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateStatus {
    Pass,
    Warn,
    Fail,
    /// Passes once whoever approves writes a note on it.
    NeedsNote,
    /// Could not be judged; the message says why. Counts as not passed.
    NotEvaluated,
}

/// One figure behind a verdict, its thresholds included, so that whoever reads it can work the verdict out again.
/// Order is for reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Number {
    pub name: String,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    pub gate: Gate,
    pub status: GateStatus,
    pub numbers: Vec<Number>,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Ready for a person to approve, with the notes the gates want.
    Gated,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateReport {
    /// All nine, in the order of [`Gate`].
    pub gates: Vec<GateResult>,
    pub verdict: Verdict,
    /// The holdout has no observed bad: metrics are shown as such, nothing may be activated.
    pub bootstrap: bool,
    /// Whether approval can lead to activation at all.
    pub activatable: bool,
    pub impact: Impact,
}

impl GateReport {
    /// Gates that want a note at approval.
    pub fn wanting_notes(&self) -> impl Iterator<Item = Gate> + '_ {
        let wanting = |g: &&GateResult| g.status == GateStatus::NeedsNote;
        self.gates.iter().filter(wanting).map(|g| g.gate)
    }

    pub fn result(&self, gate: Gate) -> Option<&GateResult> {
        self.gates.iter().find(|result| result.gate == gate)
    }
}

impl Gate {
    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provenance => "PROVENANCE",
            Self::CircularLabels => "CIRCULAR_LABELS",
            Self::Floor => "FLOOR",
            Self::Champion => "CHAMPION",
            Self::Stability => "STABILITY",
            Self::Impact => "IMPACT",
            Self::Weights => "WEIGHTS",
            Self::Calibration => "CALIBRATION",
            Self::RankOrder => "RANK_ORDER",
        }
    }
}

impl GateStatus {
    /// For reading.
    pub fn words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::NeedsNote => "needs a note",
            Self::NotEvaluated => "not evaluated",
        }
    }

    /// Whether the gate lets a draft through, a note permitting.
    pub fn passes(self) -> bool {
        matches!(self, Self::Pass | Self::Warn | Self::NeedsNote)
    }
}

impl GateResult {
    fn new(gate: Gate, status: GateStatus, message: impl Into<String>) -> Self {
        Self {
            gate,
            status,
            numbers: Vec::new(),
            message: message.into(),
        }
    }

    fn not_evaluated(gate: Gate, why: impl Into<String>) -> Self {
        Self::new(gate, GateStatus::NotEvaluated, why)
    }

    fn number(mut self, name: impl Into<String>, value: f64) -> Self {
        self.numbers.push(Number {
            name: name.into(),
            value,
        });
        self
    }

    /// The figure called `name`.
    pub fn get(&self, name: &str) -> Option<f64> {
        let found = self.numbers.iter().find(|number| number.name == name);
        found.map(|number| number.value)
    }
}

/// Runs all gates. Only inputs that do not fit together are an error; whatever cannot be judged says so in its gate.
pub fn evaluate(input: &GateInput<'_>) -> Result<GateReport, GateError> {
    input.check()?;
    let observed = Observed::of(input);
    let impact = Impact::of(input, &observed);
    let gates = vec![
        labels::provenance(input, &observed),
        labels::circular(input),
        discrimination::floor(&observed),
        discrimination::champion(&observed),
        stability::stability(input, &observed),
        impact::gate(&impact),
        weights::gate(input.champion, input.challenger),
        calibration::calibration(input, &observed),
        calibration::rank_order(&impact, &observed),
    ];
    let verdict = if gates.iter().all(|g| g.status.passes()) {
        Verdict::Gated
    } else {
        Verdict::Failed
    };
    let bootstrap = observed.bads() == 0;
    Ok(GateReport {
        gates,
        verdict,
        bootstrap,
        activatable: verdict == Verdict::Gated && !bootstrap,
        impact,
    })
}

#[cfg(test)]
mod recompute;
#[cfg(test)]
mod tests;
