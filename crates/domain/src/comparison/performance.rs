//! Which card was right, as far as outcomes have matured.

use serde::{Deserialize, Serialize};

use super::ScoredBy;
use crate::metrics::{AucEstimate, MetricError, PairedAuc, Ranking, brier, delong, paired_delong};

/// A figure, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evaluated<T> {
    Value(T),
    NotEvaluated { why: String },
}

/// Both cards against what happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Parties whose outcome is known; nothing below looks at any other.
    pub matured: usize,
    pub bads: usize,
    pub champion: Performance,
    pub challenger: Performance,
    /// DeLong's test of the AUC difference on the same parties, challenger minus champion.
    pub auc_difference: Evaluated<PairedAuc>,
    /// Challenger minus champion: below 0 is the challenger's advantage.
    pub brier_difference: Evaluated<f64>,
}

/// One card's ranking by raw score, and its PDs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    pub auc: Evaluated<f64>,
    pub auc_interval: Evaluated<AucEstimate>,
    pub ks: Evaluated<f64>,
    /// Of the card's PD link.
    pub brier: Evaluated<f64>,
}

impl<T> Evaluated<T> {
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::NotEvaluated { .. } => None,
        }
    }

    fn not(why: impl Into<String>) -> Self {
        Self::NotEvaluated { why: why.into() }
    }

    fn map<U>(self, change: impl FnOnce(T) -> U) -> Evaluated<U> {
        match self {
            Self::Value(value) => Evaluated::Value(change(value)),
            Self::NotEvaluated { why } => Evaluated::NotEvaluated { why },
        }
    }
}

impl<T> From<Result<T, MetricError>> for Evaluated<T> {
    fn from(result: Result<T, MetricError>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(error) => Self::not(error.to_string()),
        }
    }
}

impl Outcomes {
    pub(super) fn of(
        champion: &ScoredBy<'_>,
        challenger: &ScoredBy<'_>,
        outcomes: &[Option<bool>],
    ) -> Self {
        let bad: Vec<bool> = outcomes.iter().flatten().copied().collect();
        // Metrics ask for scores that rise with the risk.
        let risks = |raw: &[f64]| -> Vec<f64> {
            let known = raw.iter().zip(outcomes).filter(|(_, bad)| bad.is_some());
            known.map(|(raw, _)| -raw).collect()
        };
        let (old, new) = (risks(champion.raw), risks(challenger.raw));
        let none = || Evaluated::not("no outcome has matured");
        let auc_difference = if bad.is_empty() {
            none()
        } else {
            paired_delong(&old, &new, &bad).into()
        };
        let champion = Performance::of(champion, &old, &bad);
        let challenger = Performance::of(challenger, &new, &bad);
        let brier_difference = match (&champion.brier, &challenger.brier) {
            (Evaluated::Value(old), Evaluated::Value(new)) => Evaluated::Value(new - old),
            (Evaluated::NotEvaluated { why }, _) => Evaluated::not(format!("champion: {why}")),
            (_, Evaluated::NotEvaluated { why }) => Evaluated::not(format!("challenger: {why}")),
        };
        Self {
            matured: bad.len(),
            bads: bad.iter().filter(|bad| **bad).count(),
            champion,
            challenger,
            auc_difference,
            brier_difference,
        }
    }
}

impl Performance {
    fn of(scored: &ScoredBy<'_>, risk: &[f64], bad: &[bool]) -> Self {
        if bad.is_empty() {
            let why = "no outcome has matured";
            return Self {
                auc: Evaluated::not(why),
                auc_interval: Evaluated::not(why),
                ks: Evaluated::not(why),
                brier: Evaluated::not(why),
            };
        }
        let ranking: Evaluated<Ranking> = Ranking::new(risk, bad).into();
        Self {
            auc: ranking.clone().map(|ranking| ranking.auc()),
            ks: ranking.map(|ranking| ranking.ks()),
            auc_interval: delong(risk, bad).into(),
            brier: Self::brier(scored, risk, bad),
        }
    }

    fn brier(scored: &ScoredBy<'_>, risk: &[f64], bad: &[bool]) -> Evaluated<f64> {
        let Some(link) = scored.card.content().link.or(scored.link) else {
            return Evaluated::not("the card has no link from points to a probability of default");
        };
        let base = scored.card.scaling().base();
        let pd: Vec<f64> = risk
            .iter()
            .map(|risk| link.probability(-risk, base))
            .collect();
        brier(&pd, bad).into()
    }
}
