//! Decision rules: what may change a party's final score after the card, and never the raw one.
//!
//! ```text
//! raw ─> adjustments, in priority order ─> floors ─> caps ─> clamp to the card's range ─> round half up ─> band
//! ```
//! Floors come before caps, so nothing lifts a score past its cap. Conditions see the features and `score`, which is
//! always the card's raw score, whatever rules fired before.

mod check;
mod condition;
mod defaults;
mod depth;
mod error;
mod fast;

pub use defaults::default_rules;
pub use error::RuleError;

use crate::canonical::{canonical_json, sha256_hex};
use crate::card::{CompiledCard, round_half_up};
use crate::ids::Digest;
use condition::{Condition, Evaluator, Inputs};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Fired rules are kept as bits of one word per party.
pub const MAX_RULES: usize = 64;

/// A rule as people write it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub name: String,
    /// Lower runs first; equal priorities run in the order of their names.
    pub priority: i32,
    /// A CEL expression over feature names and `score` that says yes or no.
    pub condition: String,
    #[serde(flatten)]
    pub action: Action,
}

/// What a rule does when its condition holds. In JSON: `"action": "set_max_score", "value": 500`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    AdjustScore { value: f64 },
    MultiplyScore { value: f64 },
    SetMinScore { value: f64 },
    SetMaxScore { value: f64 },
    FlagForReview { flag: String },
}

/// Rules that compile, in the order in which they run.
pub struct RuleSet {
    rules: Vec<Rule>,
    conditions: Vec<Condition>,
    evaluator: Evaluator,
}

/// What the rules made of one raw score. `RuleSet::fired` and `RuleSet::flags` put names to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    pub final_score: i32,
    /// Position among the card's bands, 0 the best.
    pub band: usize,
    fired: u64,
}

impl RuleSet {
    /// Compiles and tries every rule, so that a faulty one is refused when it is saved, not when a batch runs.
    pub fn compile(rules: &[Rule]) -> Result<Self, RuleError> {
        if rules.len() > MAX_RULES {
            let count = rules.len();
            return Err(RuleError::TooMany { count });
        }
        let mut rules = rules.to_vec();
        rules.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        let evaluator = Evaluator::default();
        let mut conditions = Vec::with_capacity(rules.len());
        for (index, rule) in rules.iter().enumerate() {
            check_fields(rule)?;
            if rules[..index].iter().any(|r| r.name == rule.name) {
                let rule = rule.name.clone();
                return Err(RuleError::DuplicateName { rule });
            }
            conditions.push(Condition::compile(&rule.name, &rule.condition, &evaluator)?);
        }
        Ok(Self {
            rules,
            conditions,
            evaluator,
        })
    }

    /// In the order in which they run.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// SHA-256 of the rules; with the card's hash it names everything that decides a final score.
    pub fn digest(&self) -> Digest {
        Digest::new(sha256_hex(&canonical_json(&self.rules)))
            .expect("a SHA-256 in lower-case hex is a digest")
    }

    /// Decides one party from its features (catalogue order, all finite) and its raw score.
    ///
    /// # Errors
    /// Only a condition that computes can fail here (a whole-number division by zero, say); comparisons cannot.
    pub fn apply(&self, card: &CompiledCard, row: &[f64], raw: f64) -> Result<Decision, RuleError> {
        let inputs = Inputs { row, score: raw };
        let mut fired = 0u64;
        let (mut running, mut floor, mut cap) = (raw, f64::NEG_INFINITY, f64::INFINITY);
        for (index, (rule, condition)) in self.rules.iter().zip(&self.conditions).enumerate() {
            if !condition.holds(&rule.name, &inputs, &self.evaluator)? {
                continue;
            }
            fired |= 1 << index;
            match rule.action {
                Action::AdjustScore { value } => running += value,
                Action::MultiplyScore { value } => running *= value,
                Action::SetMinScore { value } => floor = floor.max(value),
                Action::SetMaxScore { value } => cap = cap.min(value),
                Action::FlagForReview { .. } => {}
            }
        }
        let (least, greatest) = card.final_range();
        let bounded = running.max(floor).min(cap);
        let final_score = round_half_up(bounded.clamp(f64::from(least), f64::from(greatest)));
        Ok(Decision {
            final_score,
            band: card.bands().index_of(final_score),
            fired,
        })
    }

    /// The rules that fired, in the order in which they ran.
    pub fn fired<'a>(&'a self, decision: &Decision) -> impl Iterator<Item = &'a Rule> + use<'a> {
        let bits = decision.fired;
        let fired = move |(index, _): &(usize, &Rule)| (bits >> index) & 1 == 1;
        self.rules
            .iter()
            .enumerate()
            .filter(fired)
            .map(|(_, rule)| rule)
    }

    /// The review flags that fired rules raised, in the order in which they ran.
    pub fn flags<'a>(&'a self, decision: &Decision) -> impl Iterator<Item = &'a str> + use<'a> {
        self.fired(decision).filter_map(|rule| match &rule.action {
            Action::FlagForReview { flag } => Some(flag.as_str()),
            _ => None,
        })
    }
}

impl Decision {
    /// Bit i is set when `RuleSet::rules()[i]` fired; for counting fired rules over a batch.
    pub fn fired_bits(&self) -> u64 {
        self.fired
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleSet")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

fn check_fields(rule: &Rule) -> Result<(), RuleError> {
    let name = rule.name.clone();
    if name.trim().is_empty() || name.len() > 128 {
        return Err(RuleError::Name { rule: name });
    }
    let value = match &rule.action {
        Action::FlagForReview { flag } if flag.trim().is_empty() => {
            return Err(RuleError::Flag { rule: name });
        }
        Action::FlagForReview { .. } => return Ok(()),
        Action::AdjustScore { value }
        | Action::MultiplyScore { value }
        | Action::SetMinScore { value }
        | Action::SetMaxScore { value } => *value,
    };
    let allowed = match rule.action {
        Action::MultiplyScore { .. } => value.is_finite() && value >= 0.0,
        // Whole, or rounding could lift a score past its cap.
        Action::SetMinScore { .. } | Action::SetMaxScore { .. } => value.fract() == 0.0,
        _ => value.is_finite(),
    };
    if allowed {
        Ok(())
    } else {
        Err(RuleError::Value { rule: name, value })
    }
}

#[cfg(test)]
mod tests;
