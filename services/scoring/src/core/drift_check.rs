//! The check that a scored batch looks like the population that its card was trained on. It blocks nothing.

use kycc_domain::card::Scorecard;
use kycc_domain::drift::{DriftReport, ScoredPopulation, drift};
use kycc_domain::psi::Shift;
use serde::{Deserialize, Serialize};

/// More lines than this are counted by the description, not listed.
const MOST_LINES: usize = 5;

/// A check as it stands in the metadata of a materialization, under `checks`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    /// `None` where it was not evaluated.
    pub(crate) passed: Option<bool>,
    /// What it means when it has not passed; `warn` stops nothing.
    pub(crate) severity: String,
    /// `pass`, `warn`, `fail` or `not_evaluated`.
    pub(crate) status: String,
    /// For a person: the worst lines first, or why it was not evaluated.
    pub(crate) description: String,
    /// Lines that have moved, the worst first.
    pub(crate) lines: Vec<Moved>,
    /// Of the population that was compared with.
    pub(crate) baseline_parties: u64,
}

/// A line of the comparison that has moved beyond chance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moved {
    /// A feature, `score` or `final_band`.
    pub(crate) name: String,
    /// Population stability index.
    pub(crate) index: f64,
    pub(crate) no_shift_bound: f64,
    pub(crate) status: Shift,
}

impl Check {
    /// Of a batch that `card` scored.
    pub(crate) fn of(card: &Scorecard, population: &ScoredPopulation<'_>) -> Self {
        let Some(baseline) = &card.content().training_population else {
            return Self::not_evaluated(format!(
                "card {} keeps no training population to compare with; a refined card does",
                card.version()
            ));
        };
        match drift(baseline, population) {
            Ok(report) => Self::evaluated(&report),
            Err(error) => Self::not_evaluated(format!(
                "the batch cannot be compared with the card's training population ({}): {error}",
                error.reason()
            )),
        }
    }

    fn evaluated(report: &DriftReport) -> Self {
        let status = match report.status {
            Shift::Pass => "pass",
            Shift::Warn => "warn",
            Shift::Fail => "fail",
        };
        let mut moved: Vec<_> = report
            .lines()
            .filter(|line| line.status != Shift::Pass)
            .collect();
        moved.sort_by(|a, b| {
            (b.status)
                .cmp(&a.status)
                .then_with(|| b.index.total_cmp(&a.index))
        });
        let lines = moved.into_iter().take(MOST_LINES).map(|line| Moved {
            name: line.name.clone(),
            index: line.index,
            no_shift_bound: line.no_shift_bound,
            status: line.status,
        });
        Self {
            passed: Some(report.status == Shift::Pass),
            lines: lines.collect(),
            baseline_parties: report.baseline_rows,
            ..Self::named(status, report.sentences.join("; "))
        }
    }

    fn not_evaluated(why: String) -> Self {
        Self::named("not_evaluated", why)
    }

    fn named(status: &str, description: String) -> Self {
        Self {
            name: "drift".into(),
            passed: None,
            severity: "warn".into(),
            status: status.into(),
            description,
            lines: Vec::new(),
            baseline_parties: 0,
        }
    }
}
