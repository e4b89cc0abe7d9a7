//! The population that the gates are tried on.

use crate::card::{Factor, PdLink, Provenance, Scorecard, ScoringContent};
use crate::expert::expert_card;
use crate::gates::{Gate, GateInput, GateReport, GateStatus, evaluate};
use crate::logistic::{FitOptions, fit, sigmoid};
use crate::matrix::Matrix;
use crate::refine::{RefineInput, WantedScaling, fit_link, raw_scores, refine};

pub(in crate::gates) const FACTORS: usize = 13;

/// Parties whose outcomes follow the expert's weights, the model trained on them, and the half-and-half draft.
pub(in crate::gates) struct Population {
    pub(super) champion: Scorecard,
    pub(super) champion_link: Option<PdLink>,
    pub(in crate::gates) challenger: Scorecard,
    pub(super) train: Vec<f64>,
    pub(super) train_raw: Vec<f64>,
    pub(in crate::gates) train_observed: Vec<bool>,
    pub(in crate::gates) holdout: Vec<f64>,
    pub(in crate::gates) holdout_bad: Vec<bool>,
    pub(in crate::gates) holdout_observed: Vec<bool>,
    pub(in crate::gates) champion_raw: Vec<f64>,
    pub(in crate::gates) challenger_raw: Vec<f64>,
}

fn draw(n: usize, seed: u64) -> (Vec<f64>, Vec<bool>) {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    // Flags and continuous factors, as a real card has both.
    let values: Vec<f64> = (0..n * FACTORS)
        .map(|i| {
            if (i % FACTORS).is_multiple_of(4) {
                f64::from(u8::from(next() < 0.6))
            } else {
                next()
            }
        })
        .collect();
    let card = expert_card();
    let bad = values
        .chunks_exact(FACTORS)
        .map(|row| {
            let earned: f64 = card
                .factors()
                .iter()
                .zip(row)
                .map(|(f, s)| f.weight * s)
                .sum();
            next() < sigmoid(6.0 - 0.085 * earned)
        })
        .collect();
    (values, bad)
}

impl Population {
    pub(in crate::gates) fn new() -> Self {
        Self::scaled(WantedScaling::MinMax)
    }

    pub(in crate::gates) fn scaled(scaling: WantedScaling) -> Self {
        let champion = expert_card();
        let (train, train_bad) = draw(6000, 1);
        let (holdout, holdout_bad) = draw(1500, 2);
        let rows = Matrix::new(&train, FACTORS).unwrap();
        let model = fit(rows, &train_bad, None, &FitOptions::default())
            .unwrap()
            .raw_model();
        let input = RefineInput {
            expert: &champion,
            model: &model,
            lambda: 0.5,
            scaling,
            rows,
            bad: &train_bad,
            weights: None,
        };
        let draft = refine(&input, "draft-1", Provenance::default()).unwrap();
        let link = fit_link(&raw_scores(&champion, rows), 300, &train_bad, None).unwrap();
        let held = Matrix::new(&holdout, FACTORS).unwrap();
        Self {
            champion_raw: raw_scores(&champion, held),
            challenger_raw: raw_scores(&draft.card, held),
            champion,
            champion_link: Some(link),
            challenger: draft.card,
            train_observed: vec![true; 6000],
            train_raw: draft.train_raw,
            holdout_observed: vec![true; 1500],
            train,
            holdout,
            holdout_bad,
        }
    }

    pub(in crate::gates) fn input(&self) -> GateInput<'_> {
        GateInput {
            champion: &self.champion,
            champion_link: self.champion_link,
            challenger: &self.challenger,
            train: Matrix::new(&self.train, FACTORS).unwrap(),
            train_raw: &self.train_raw,
            train_observed: &self.train_observed,
            train_weights: None,
            holdout: Matrix::new(&self.holdout, FACTORS).unwrap(),
            holdout_bad: &self.holdout_bad,
            holdout_observed: &self.holdout_observed,
            holdout_champion_raw: &self.champion_raw,
            holdout_challenger_raw: &self.challenger_raw,
        }
    }

    pub(in crate::gates) fn report(&self) -> GateReport {
        evaluate(&self.input()).unwrap()
    }

    pub(super) fn status(&self, gate: Gate) -> GateStatus {
        self.report().result(gate).unwrap().status
    }
}

/// The expert card with other weights, by feature.
pub(in crate::gates) fn reweighted(changes: &[(&str, f64)]) -> Scorecard {
    let factors: Vec<Factor> = expert_card()
        .factors()
        .iter()
        .map(|factor| {
            let change = changes.iter().find(|(name, _)| *name == factor.feature);
            Factor {
                weight: change.map_or(factor.weight, |(_, weight)| *weight),
                ..factor.clone()
            }
        })
        .collect();
    Scorecard::new("other", ScoringContent::of(factors), Provenance::default()).unwrap()
}
